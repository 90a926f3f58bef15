import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { readJournal } from '@reelstream/recording';
import { Secret } from '@reelstream/service';
import { placeBibLeg, placeSiprecCall } from '@reelstream/testing/callers';
import type { SrtpSuiteName } from '@reelstream/testing/callers';
import { readTrackKeys } from './session-keys.ts';
import { Box } from './test-support/box.ts';
import { overTls } from './test-support/over-tls.ts';
import { last, legOf, noise, sameBytes } from './test-support/srtp.ts';

const suites: readonly SrtpSuiteName[] = [
  'AES_CM_128_HMAC_SHA1_80',
  'AES_CM_128_HMAC_SHA1_32',
  'AEAD_AES_128_GCM',
  'AEAD_AES_256_GCM',
];

const heard = async (box: Box, sessionId: string, track: number, wanted: Buffer): Promise<void> => {
  const packets = await box.packets(sessionId, track);
  sameBytes([Buffer.concat(packets.map((packet) => packet.subarray(12)))], [wanted]);
};

/** Every file of a recording folder, as text. */
const textOfFolder = async (folder: string): Promise<string> => {
  const names = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = names.filter((entry) => entry.isFile());
  const texts = await Promise.all(files.map((file) => readFile(join(file.parentPath, file.name), 'latin1')));

  return texts.join('\n');
};

const clusterKey = new Secret(Buffer.alloc(32, 1).toString('base64'));

describe('an encrypted call over TLS', () => {
  let box: Box;
  before(async () => {
    box = await Box.open({ capacity: 20, sip: overTls });
  });
  after(() => box[Symbol.asyncDispose]());

  for (const suite of suites) {
    test(`is recorded sample for sample: ${suite}`, async () => {
      const voices = [noise(60), noise(60)] as const;
      await using call = await placeSiprecCall({
        target: box.uriOver('tls'),
        legs: [legOf('PCMU', voices[0], 'alice'), legOf('PCMA', voices[1], 'bob')],
        srtp: suite,
        pace: 20,
        // The sequence number wraps in the middle.
        rtpStart: [1, 2].map((ssrc) => ({ ssrc, sequence: 65_500, timestamp: 0 })),
      });
      await call.mediaSent;
      await call.hangUp();
      const events = await box.sessionOf(call.callId);
      const ended = last(events, 'session.ended');
      assert.equal(`${ended.data.state} ${ended.data.endReason}`, 'CLOSED_NORMAL bye');
      assert.deepEqual(
        ended.data.tracks.map(({ encryption, packets, lost }) => [encryption, packets, lost]),
        [
          [`sdes:${suite}`, 60, 0],
          [`sdes:${suite}`, 60, 0],
        ],
      );
      assert.equal(ended.data.flags, undefined);
      await heard(box, ended.subject, 0, voices[0]);
      await heard(box, ended.subject, 1, voices[1]);
      const manifest = await box.manifest(ended.subject);
      assert.deepEqual(
        manifest.tracks.map(({ encryption }) => encryption),
        [`sdes:${suite}`, `sdes:${suite}`],
      );
      assert.ok(
        manifest.tracks.every(({ rtcpPackets }) => rtcpPackets > 0),
        'RTCP is decrypted, too',
      );
    });
  }

  test('has its keys and rollover counters in the journal, for nobody but this cluster', async () => {
    await using call = await placeSiprecCall({
      target: box.uriOver('tls'),
      legs: [legOf('PCMU', noise(60), 'alice')],
      srtp: 'AES_CM_128_HMAC_SHA1_80',
      rtpStart: [{ ssrc: 77, sequence: 65_530, timestamp: 0 }],
    });
    // It is paced in real time, so that a beat notes the wrap.
    await call.mediaSent;
    await call.hangUp();
    const { subject } = last(await box.sessionOf(call.callId), 'session.ended');
    const folder = box.folderOf(subject);
    const { notes } = await readJournal(folder);
    const keys = readTrackKeys(notes, clusterKey)[0];
    const inline = keys?.remote?.keys[0]?.inline ?? '';
    assert.equal(inline.length, 40);
    assert.deepEqual(
      keys?.rollovers?.map(({ ssrc, roc }) => [ssrc, roc]),
      [[77, 1]],
    );
    const text = await textOfFolder(folder);
    assert.ok(text.includes('a=crypto:removed'), 'the raw body is kept');
    for (const secret of [inline, keys?.local?.keys[0]?.inline ?? ''])
      assert.ok(secret.length > 0 && !text.includes(secret), 'no key stands in the folder');
    assert.throws(() => readTrackKeys(notes, new Secret(Buffer.alloc(32, 2).toString('base64'))));
  });

  test('of a built-in bridge gets keys in our offer', async () => {
    const voice = noise(40);
    await using call = await placeBibLeg({
      target: box.uriOver('tls'),
      side: 'near',
      bridge: {
        nearEndAddress: '1001',
        nearEndDevice: 'SEP1',
        refCi: '1',
        farEndAddress: '2002',
        farEndDevice: 'SEP9',
        farEndRefCi: '2',
      },
      leg: legOf('PCMU', voice, '1001'),
      srtp: 'AEAD_AES_128_GCM',
      pace: 20,
    });
    assert.match(call.offer, /m=audio \d+ RTP\/SAVP /);
    assert.equal(call.offer.match(/a=crypto:/g)?.length, 4);
    await call.mediaSent;
    await call.hangUp();
    const { data, subject } = last(await box.sessionOf(call.callId), 'session.ended');
    assert.equal(data.tracks[0]?.encryption, 'sdes:AEAD_AES_128_GCM');
    await heard(box, subject, 0, voice);
  });

  test('of a built-in bridge whose phone does not encrypt falls back to plain RTP', async () => {
    const voice = noise(40);
    await using call = await placeBibLeg({
      target: box.uriOver('tls'),
      side: 'near',
      bridge: {
        nearEndAddress: '1001',
        nearEndDevice: 'SEP2',
        refCi: '3',
        farEndAddress: '2002',
        farEndDevice: 'SEP9',
        farEndRefCi: '4',
      },
      leg: legOf('PCMU', voice, '1001'),
      pace: 20,
    });
    await call.mediaSent;
    await call.hangUp();
    const { data, subject } = last(await box.sessionOf(call.callId), 'session.ended');
    assert.equal(data.tracks[0]?.encryption, undefined);
    await heard(box, subject, 0, voice);
  });
});
