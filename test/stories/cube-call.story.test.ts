import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import type { PublicSession } from '@reelstream/events';
import { waitFor } from '@reelstream/testing';
import { decodeAlaw, findSamples, readWav, rtpPayloadsOf } from '../support/audio.ts';
import { runSipp, speechCapture } from '../support/sipp.ts';
import { startSystem } from '../support/system.ts';

const guid = '0744168064-3846967276-2147483648-0167772160';

test('SIPp forks the media of a call as CUBE does, and is asked for nothing: each party is on the line that is theirs', async () => {
  await using system = await startSystem();
  const speech = await speechCapture();
  await runSipp('cube-through-redirect.xml', `127.0.0.1:${system.sipPort}`, { guid, speech });
  const session = await waitFor(
    async () => {
      const { items } = await system.json<{ items: PublicSession[] }>('/sessions');
      const [found, ...others] = items;
      assert.deepEqual(others, []);

      return found?.recording ? found : undefined;
    },
    { deadlineMs: 30_000, describe: 'no sealed session of the call' },
  );
  assert.deepEqual(
    [session.state, session.endReason, session.controller.type, session.correlation.ciscoGuid],
    ['CLOSED_NORMAL', 'bye', 'cube', guid],
  );
  assert.deepEqual(
    session.tracks.map(({ trackNumber, codec, packets, lost, participants }) => [
      trackNumber,
      codec,
      packets,
      lost,
      participants.map(({ address }) => address),
    ]),
    [
      [0, 'PCMA', 236, 0, ['sip:1708@192.0.2.11']],
      [1, 'PCMU', 0, 0, ['sip:1777@192.0.2.10']],
    ],
  );
  const response = await system.api(`/sessions/${session.sessionId}/recording.wav`);
  assert.equal(response.status, 200);
  const wav = readWav(Buffer.from(await response.arrayBuffer()));
  const sent = Int16Array.from(Buffer.concat(rtpPayloadsOf(await readFile(speech))), decodeAlaw);
  const [agent = new Int16Array(), customer = new Int16Array(), ...more] = wav.channels;
  assert.deepEqual(more, []);
  const at = findSamples(agent, sent);
  assert.notEqual(at, -1, 'the speech is not in the channel');
  const rest = [...agent.subarray(0, at), ...agent.subarray(at + sent.length), ...customer];
  assert.ok(
    rest.every((sample) => sample === 0),
    'something else is in the recording',
  );
});
