import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { PublicSession } from '@reelstream/events';
import { waitFor } from '@reelstream/testing';
import { decodeAlaw, decodeUlaw, findSamples, readWav, toneIn, writeWav } from '../support/audio.ts';
import { startBaresip } from '../support/baresip.ts';
import type { Baresip } from '../support/baresip.ts';
import { startSystem } from '../support/system.ts';
import type { System } from '../support/system.ts';

/** Samples that nobody could guess, of those that a G.711 codec can carry exactly. At its end the phone hangs up. */
const voiceOf = (decode: (code: number) => number, seconds = 2): Int16Array => {
  let state = 4_711;

  return Int16Array.from({ length: seconds * 8_000 }, () => {
    state = (state * 1_103_515_245 + 12_345) % 0x8000_0000;
    const code = (state >> 16) & 0xff;

    return decode(code === 0x7f ? 0xff : code);
  });
};

/** The first half second of it, wherever it stands in the first channel of the recording. */
const placeIn = async (system: System, { sessionId }: PublicSession, voice: Int16Array): Promise<number> => {
  const response = await system.api(`/sessions/${sessionId}/recording.wav`);
  assert.equal(response.status, 200);
  const wav = readWav(Buffer.from(await response.arrayBuffer()));
  assert.equal(wav.channels.length, 1);

  return findSamples(wav.channels[0] ?? new Int16Array(), voice.subarray(0, 4_000));
};

const sealed = (system: System, isWanted: (session: PublicSession) => boolean): Promise<PublicSession> =>
  waitFor(
    async () => {
      const { items } = await system.json<{ items: PublicSession[] }>('/sessions');

      return items.find((session) => session.recording !== undefined && isWanted(session));
    },
    { deadlineMs: 20_000, describe: 'no sealed session of the call' },
  );

const established = (phone: Baresip): Promise<unknown> => phone.program.printed(/Call established/, 20_000);

describe('a phone', () => {
  let system: System;
  before(async () => {
    system = await startSystem({ REEL_DIAL_DIRECT: 'yes' });
  });
  after(() => system[Symbol.asyncDispose]());

  for (const [transport, codecs, codec, decode] of [
    ['udp', ['PCMU', 'PCMA'], 'PCMU', decodeUlaw],
    ['tcp', ['PCMA'], 'PCMA', decodeAlaw],
  ] as const)
    test(`dials in over ${transport.toUpperCase()}, offers ${codecs.join(', ')}, speaks and hangs up: every sample is there`, async () => {
      const voice = voiceOf(decode);
      await using phone = await startBaresip({ voice: writeWav(voice), codecs });
      await phone.command(
        'dial',
        `sip:message-${transport}@127.0.0.1:${system.sipPort};transport=${transport}`,
      );
      await established(phone);
      const session = await sealed(system, ({ dialogs }) =>
        dialogs.some(({ toUri }) => toUri.includes(`message-${transport}`)),
      );
      assert.deepEqual(
        [session.state, session.endReason, session.controller.type, session.dialogs[0]?.transport],
        ['CLOSED_NORMAL', 'bye', 'direct', transport],
      );
      assert.deepEqual(
        session.tracks.map((track) => [track.mediaType, track.codec]),
        [['audio', codec]],
      );
      assert.notEqual(await placeIn(system, session, voice), -1);
    });

  // Over TCP from where its media come it is called; over UDP it has to call.
  for (const [dtls, transport, suite] of [
    ['mux', 'tcp', 'AES_CM_128_HMAC_SHA1_80'],
    ['apart', 'udp', 'AEAD_AES_256_GCM'],
  ] as const)
    test(`dials in with DTLS-SRTP over ${transport.toUpperCase()}, RTCP ${dtls === 'mux' ? 'on the port of RTP' : 'on its own'}: every sample is there`, async () => {
      // Long enough for a report.
      const voice = voiceOf(decodeUlaw, 7);
      await using phone = await startBaresip({ voice: writeWav(voice), codecs: ['PCMU'], dtls });
      await phone.command('dial', `sip:secret-${dtls}@127.0.0.1:${system.sipPort};transport=${transport}`);
      await phone.program.printed(/DTLS-SRTP complete/, 20_000);
      const session = await sealed(system, ({ dialogs }) =>
        dialogs.some(({ toUri }) => toUri.includes(`secret-${dtls}`)),
      );
      assert.equal(`${session.state} ${session.endReason}`, 'CLOSED_NORMAL bye');
      const [track] = session.tracks;
      assert.equal(track?.encryption, `dtls:${suite}`);
      assert.ok((track.figures?.rtcpPackets ?? 0) > 0, 'its reports are read, too');
      assert.notEqual(await placeIn(system, session, voice), -1);
    });

  test('dials in with G.722: the tone that it plays is heard, at its level', async () => {
    const tone = Int16Array.from({ length: 32_000 }, (_, at) =>
      Math.round(9_000 * Math.sin((2 * Math.PI * 1_000 * at) / 16_000)),
    );
    await using phone = await startBaresip({ voice: writeWav(tone, 16_000), codecs: ['G722', 'PCMU'] });
    await phone.command('dial', `sip:wideband@127.0.0.1:${system.sipPort}`);
    await established(phone);
    const session = await sealed(system, ({ dialogs }) =>
      dialogs.some(({ toUri }) => toUri.includes('wideband')),
    );
    assert.equal(session.tracks[0]?.codec, 'G722');
    const response = await system.api(`/sessions/${session.sessionId}/recording.wav`);
    const { channels, sampleRate } = readWav(Buffer.from(await response.arrayBuffer()));
    const channel = channels[0] ?? new Int16Array();
    const middle = Math.floor(channel.length / 2);
    const { share, amplitude } = toneIn(channel.subarray(middle, middle + sampleRate / 2), 1_000, sampleRate);
    assert.ok(share > 0.97, `only ${share} of it is the tone`);
    assert.ok(Math.abs(20 * Math.log10(amplitude / 9_000)) < 1, `amplitude ${amplitude} instead of 9000`);
  });

  test('that is called by POST /recordings answers and speaks: every sample is there', async () => {
    const voice = voiceOf(decodeAlaw);
    await using phone = await startBaresip({ voice: writeWav(voice), codecs: ['PCMA'] });
    const { sessionId, dialled } = await system.json<PublicSession>('/recordings', {
      method: 'POST',
      body: JSON.stringify({ to: phone.uri }),
    });
    assert.equal(dialled?.to, phone.uri);
    const session = await sealed(system, (each) => each.sessionId === sessionId);
    assert.deepEqual([session.state, session.endReason], ['CLOSED_NORMAL', 'bye']);
    assert.deepEqual(
      session.tracks.map(({ codec, participants }) => [codec, participants[0]?.address]),
      [['PCMA', phone.uri]],
    );
    assert.notEqual(await placeIn(system, session, voice), -1);
  });

  test('that is called is hung up when its session is stopped', async () => {
    await using phone = await startBaresip({ voice: writeWav(voiceOf(decodeAlaw, 60)), codecs: ['PCMA'] });
    const { sessionId } = await system.json<PublicSession>('/recordings', {
      method: 'POST',
      body: JSON.stringify({ to: phone.uri }),
    });
    await waitFor(
      async () =>
        (await system.json<PublicSession>(`/sessions/${sessionId}`)).tracks[0]?.firstPacketAt ?? undefined,
      { deadlineMs: 30_000, describe: 'the phone says nothing' },
    );
    const stopped = await system.json<PublicSession>(`/sessions/${sessionId}/stop`, {
      method: 'POST',
      body: '{}',
    });
    assert.equal(stopped.endReason, 'stopped');
    await phone.program.printed(/session closed|terminated/i, 10_000);
  });

  test('that is not there is a problem with its SIP status', async () => {
    const response = await system.api('/recordings', {
      method: 'POST',
      body: JSON.stringify({ to: 'sip:nobody@127.0.0.1:9;transport=tcp' }),
    });
    const { code, sipStatus } = (await response.json()) as { code: string; sipStatus?: number };
    assert.deepEqual([response.status, code, sipStatus], [502, 'CALL_UNAVAILABLE', 503]);
  });

  test('leaves a video message: audio and video by the default rule, the audio alone by a rule that says so', async () => {
    const voice = voiceOf(decodeAlaw);
    const rule = { match: { kind: 'exact', user: 'audio-only' }, action: { kind: 'record', media: 'audio' } };
    await system.json('/rules', { method: 'POST', body: JSON.stringify(rule) });
    for (const [user, kinds] of [
      ['both', ['audio', 'video']],
      ['audio-only', ['audio']],
    ] as const) {
      await using phone = await startBaresip({ voice: writeWav(voice), codecs: ['PCMA'], video: true });
      await phone.command('dial', `sip:${user}@127.0.0.1:${system.sipPort}`);
      await established(phone);
      const session = await sealed(system, ({ dialogs }) =>
        dialogs.some(({ toUri }) => toUri.includes(`:${user}@`)),
      );
      assert.deepEqual(
        session.tracks.map(({ mediaType }) => mediaType),
        kinds,
      );
      assert.ok(session.tracks.every(({ packets = 0 }) => packets > 0));
    }
  });
});
