import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import type { PublicSession } from '@reelstream/events';
import { waitFor } from '@reelstream/testing';
import { Webhook } from 'standardwebhooks';
import { decodeAlaw, findSamples, readWav, rtpPayloadsOf } from '../support/audio.ts';
import { runSipp, sippFile, speechCapture } from '../support/sipp.ts';
import { startSystem } from '../support/system.ts';
import { startEndpoint } from '../support/webhooks.ts';

test('SIPp calls the pilot, is redirected, talks and hangs up: the audio, the API and the webhooks all tell it', async (t) => {
  await using system = await startSystem();
  await using endpoint = await startEndpoint();
  const { secret } = await system.json<{ secret: string }>('/subscriptions', {
    method: 'POST',
    body: JSON.stringify({ url: endpoint.url }),
  });

  const speech = await speechCapture();
  const body = (await sippFile('siprec-body.txt')).trimEnd();
  await runSipp('siprec-through-redirect.xml', `127.0.0.1:${system.sipPort}`, { body, speech });

  const ended = await waitFor(() => endpoint.received.find((each) => each.body.type === 'session.ended'), {
    deadlineMs: 30_000,
    describe: () => `no session.ended among ${endpoint.received.map((each) => each.body.type).join(', ')}`,
  });
  const { sessionId } = ended.body.data as PublicSession;

  // Asked in the same breath as the webhook arrives: its database has committed what it says.
  const session = await system.json<PublicSession>(`/sessions/${sessionId}`);
  await t.test('the session answers as the webhook said', () => {
    assert.equal(session.state, 'CLOSED_NORMAL');
    assert.equal(session.endReason, 'bye');
    assert.equal(session.controller.type, 'siprec');
    assert.deepEqual(
      session.tracks.map(({ trackNumber, codec, participants }) => [
        trackNumber,
        codec,
        participants.map(({ name }) => name),
      ]),
      [
        [0, 'PCMA', ['Agent']],
        [1, 'PCMU', ['Customer']],
      ],
    );
    assert.equal(session.tracks[0]?.packets, 236);
    assert.equal(session.tracks[0]?.lost, 0);
  });

  await waitFor(() => endpoint.received.find((each) => each.body.type === 'recording.sealed'), {
    deadlineMs: 30_000,
    describe: 'no recording.sealed',
  });
  await t.test('every webhook passes the Standard Webhooks verifier, in order and without a gap', () => {
    const verifier = new Webhook(secret);
    for (const { text, headers } of endpoint.received)
      verifier.verify(text, {
        'webhook-id': String(headers['webhook-id']),
        'webhook-timestamp': String(headers['webhook-timestamp']),
        'webhook-signature': String(headers['webhook-signature']),
      });
    const told = endpoint.received
      .map(({ body: { type, data } }) => ({ type, session: data as PublicSession }))
      .filter(({ session: { sessionId: id } }) => id === sessionId);
    assert.deepEqual(
      [told[0], told.at(-1)].map((each) => [each?.type, each?.session.state]),
      [
        ['session.started', 'ACTIVE'],
        ['recording.sealed', 'CLOSED_NORMAL'],
      ],
    );
    assert.deepEqual(
      endpoint.received.map((each) => each.body.sequence),
      endpoint.received.map((_, index) => index + 1),
    );
  });

  await t.test('the WAV holds exactly the samples that were sent', async () => {
    const response = await system.api(`/sessions/${sessionId}/recording.wav`);
    assert.equal(response.status, 200);
    const wav = readWav(Buffer.from(await response.arrayBuffer()));
    const sent = Int16Array.from(Buffer.concat(rtpPayloadsOf(await readFile(speech))), decodeAlaw);
    assert.equal(wav.sampleRate, 8_000);
    assert.equal(wav.channels.length, 2);
    const at = findSamples(wav.channels[0] ?? new Int16Array(), sent);
    assert.notEqual(at, -1, 'the speech is not in the channel');
    const channel = wav.channels[0] ?? new Int16Array();
    const rest = [...channel.subarray(0, at), ...channel.subarray(at + sent.length)];
    assert.ok(
      rest.every((sample) => sample === 0),
      'something else is in the channel',
    );
  });

  await t.test('media comes in ranges, and raw', async () => {
    const part = await system.api(`/sessions/${sessionId}/recording.wav`, {
      headers: { range: 'bytes=0-3' },
    });
    assert.equal(part.status, 206);
    assert.equal(await part.text(), 'RIFF');
    const raw = await system.api(`/sessions/${sessionId}/tracks/0.rtpdump`);
    assert.match(Buffer.from(await raw.arrayBuffer()).toString('latin1', 0, 40), /^#!rtpplay1\.0 /);
  });
});
