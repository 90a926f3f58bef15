import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import type { PublicSession } from '@reelstream/events';
import { waitFor } from '@reelstream/testing';
import { decodeAlaw, findSamples, readWav, rtpPayloadsOf } from '../support/audio.ts';
import { runSipp, speechCapture } from '../support/sipp.ts';
import { startSystem } from '../support/system.ts';

test('SIPp forks a call as a phone does, in two dialogs: one session, what the phone said left, what it heard right', async () => {
  await using system = await startSystem();
  const speech = await speechCapture();
  const leg = (side: 'near' | 'far'): Promise<void> =>
    runSipp('bib-leg-through-redirect.xml', `127.0.0.1:${system.sipPort}`, {
      side,
      refCi: '18100001',
      speech,
    });
  await Promise.all([leg('far'), leg('near')]);
  const session = await waitFor(
    async () => {
      const { items } = await system.json<{ items: PublicSession[] }>('/sessions?xRefCi=18100001');
      const [found, ...others] = items;
      assert.deepEqual(others, []);

      return found?.recording ? found : undefined;
    },
    { deadlineMs: 30_000, describe: 'no sealed session of the call' },
  );
  assert.deepEqual(
    [session.state, session.controller.type, session.dialogs.length],
    ['CLOSED_NORMAL', 'cucm', 2],
  );
  assert.deepEqual(
    session.tracks.map(({ trackNumber, codec, packets, lost, participants }) => [
      trackNumber,
      codec,
      packets,
      lost,
      participants.map(({ address, deviceId, xRefCi }) => [address, deviceId, xRefCi]),
    ]),
    [
      [0, 'PCMA', 236, 0, [['7001', 'SEP001122334455', '18100001']]],
      [1, 'PCMA', 236, 0, [['5551234', 'trunk', '18100002']]],
    ],
  );
  const response = await system.api(`/sessions/${session.sessionId}/recording.wav`);
  const wav = readWav(Buffer.from(await response.arrayBuffer()));
  const sent = Int16Array.from(Buffer.concat(rtpPayloadsOf(await readFile(speech))), decodeAlaw);
  assert.equal(wav.channels.length, 2);
  for (const channel of wav.channels) assert.notEqual(findSamples(channel, sent), -1);
});
