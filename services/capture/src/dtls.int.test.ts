import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { after, before, describe, test } from 'node:test';
import type { DomainEvent, EventOf, EventType } from '@reelstream/events';
import { dtlsObstacle } from '@reelstream/rtp';
import { freePort } from '@reelstream/testing';
import { SrtpSender } from '@reelstream/testing/callers';
import type { SrtpMaster, SrtpSuiteName } from '@reelstream/testing/callers';
import { Box } from './test-support/box.ts';
import { Caller } from './test-support/caller.ts';
import { DtlsPeer } from './test-support/dtls-peer.ts';
import { plain, portsOf } from './test-support/offers.ts';

const last = <T extends EventType>(events: readonly DomainEvent[], type: T): EventOf<T> => {
  const found = events.filter((event): event is EventOf<T> => event.type === type).at(-1);
  assert.ok(found, `no ${type} among ${events.map((event) => event.type).join(', ')}`);

  return found;
};

const offerOf = (profile: string, port: number, ...lines: readonly string[]): string =>
  [
    'v=0',
    'o=src 1 1 IN IP4 127.0.0.1',
    's=-',
    'c=IN IP4 127.0.0.1',
    't=0 0',
    `m=audio ${port} ${profile} 0`,
    'a=rtpmap:0 PCMU/8000',
    'a=sendonly',
    ...lines,
    '',
  ].join('\r\n');

const payloads = (count: number): readonly Buffer[] => Array.from({ length: count }, () => randomBytes(160));

const packetOf = (payload: Buffer, place: number): Buffer => {
  const head = Buffer.alloc(12);
  head.writeUInt16BE(0x8000, 0);
  head.writeUInt16BE(place, 2);
  head.writeUInt32BE(place * 160, 4);
  head.writeUInt32BE(0xabcdef01, 8);

  return Buffer.concat([head, payload]);
};

/** Sends under a master, from wherever. */
const speak = async (
  port: number,
  suite: SrtpSuiteName,
  master: SrtpMaster,
  voice: readonly Buffer[],
): Promise<void> => {
  const socket = createSocket('udp4');
  const sender = new SrtpSender(suite, master);
  for (const [place, payload] of voice.entries()) {
    const packet = sender.protectRtp(packetOf(payload, place), 0);
    await new Promise<void>((resolve) => socket.send(packet, port, '127.0.0.1', () => resolve()));
  }
  socket.close();
};

const digest = (buffers: readonly Buffer[]): string =>
  `${buffers.length} of ${createHash('sha256').update(Buffer.concat(buffers)).digest('hex')}`;

const heard = async (box: Box, sessionId: string, voice: readonly Buffer[]): Promise<void> => {
  const packets = await box.packets(sessionId, 0);
  assert.equal(digest(packets.map((packet) => packet.subarray(12))), digest(voice));
};

const attributeOf = (sdp: string, name: string): string =>
  new RegExp(`^a=${name}:(.*)\r$`, 'm').exec(sdp)?.[1] ?? '';

const obstacle = dtlsObstacle();

describe('a call whose keys come by a handshake', { skip: obstacle }, () => {
  let box: Box;
  before(async () => {
    box = await Box.open({ capacity: 20 });
  });
  after(() => box[Symbol.asyncDispose]());

  const isTold = (suite: SrtpSuiteName) => (event: DomainEvent) =>
    event.type === 'session.updated' && event.data.tracks[0]?.encryption === `dtls:${suite}`;

  for (const suite of [
    'AES_CM_128_HMAC_SHA1_80',
    'AES_CM_128_HMAC_SHA1_32',
    'AEAD_AES_128_GCM',
    'AEAD_AES_256_GCM',
  ] as const)
    test(`is recorded sample for sample: ${suite}`, async () => {
      await using peer = await DtlsPeer.open();
      using caller = await Caller.open(box.target);
      const offer = offerOf(
        'UDP/TLS/RTP/SAVPF',
        40_000,
        `a=fingerprint:${peer.fingerprint}`,
        'a=setup:active',
        'a=rtcp-mux',
      );
      const { status, body } = await caller.invite(plain(offer));
      assert.equal(status, 200);
      caller.ack();
      assert.match(body, /m=audio \d+ UDP\/TLS\/RTP\/SAVPF 0\r\n/);
      assert.equal(attributeOf(body, 'setup'), 'passive');
      assert.match(attributeOf(body, 'fingerprint'), /^sha-256 ([0-9A-F]{2}:){31}[0-9A-F]{2}$/);
      const [port = 0] = portsOf(body);
      const voice = payloads(50);
      await speak(port, suite, await peer.call(port, suite), voice);
      await box.events(isTold(suite));
      await caller.bye();
      const { subject, data } = last(await box.sessionOf(caller.callId), 'session.ended');
      assert.deepEqual(data.flags, undefined);
      assert.equal(data.tracks[0]?.encryption, `dtls:${suite}`);
      await heard(box, subject, voice);
    });

  test('is called where the peer waits for that', async () => {
    const suite = 'AEAD_AES_256_GCM';
    await using peer = await DtlsPeer.open();
    using caller = await Caller.open(box.target);
    const theirs = await freePort();
    const waiting = peer.wait(theirs, suite);
    const { status, body } = await caller.invite(
      plain(offerOf('UDP/TLS/RTP/SAVP', theirs, `a=fingerprint:${peer.fingerprint}`, 'a=setup:passive')),
    );
    assert.equal(status, 200);
    caller.ack();
    assert.equal(attributeOf(body, 'setup'), 'active');
    const voice = payloads(50);
    const [port = 0] = portsOf(body);
    await speak(port, suite, await waiting, voice);
    await caller.bye();
    const { subject } = last(await box.sessionOf(caller.callId), 'session.ended');
    await heard(box, subject, voice);
  });

  test('of a peer that shows another certificate than its SDP named is kept as one of which nothing could be read', async () => {
    await using peer = await DtlsPeer.open();
    await using named = await DtlsPeer.open();
    using caller = await Caller.open(box.target);
    const { body } = await caller.invite(
      plain(offerOf('UDP/TLS/RTP/SAVP', 40_000, `a=fingerprint:${named.fingerprint}`, 'a=setup:active')),
    );
    caller.ack();
    const [port = 0] = portsOf(body);
    const suite = 'AEAD_AES_128_GCM';
    // It may take what it has for its keys until it reads that it was turned away.
    const nobodys = { key: randomBytes(16), salt: randomBytes(12) };
    const master = await peer.call(port, suite).catch(() => nobodys);
    await speak(port, suite, master, payloads(10));
    await box.logged(/a DTLS handshake failed/);
    await caller.bye();
    const { subject, data } = last(await box.sessionOf(caller.callId), 'session.ended');
    assert.equal(`${data.state} ${data.endReason}`, 'CLOSED_ERROR no-media');
    assert.deepEqual(data.flags, ['dtls-failed']);
    assert.equal(data.tracks[0]?.encryption, undefined);
    assert.equal((await box.manifest(subject)).tracks[0]?.packets, 0);
  });
});
