import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { after, before, describe, test } from 'node:test';
import type { DomainEvent, EventOf, EventType } from '@reelstream/events';
import { dtlsObstacle } from '@reelstream/rtp';
import { freePort } from '@reelstream/testing';
import { Caller, SrtpSender } from '@reelstream/testing/callers';
import type { SrtpMaster, SrtpSuiteName } from '@reelstream/testing/callers';
import { Box } from './test-support/box.ts';
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

/** Sends under a master, from wherever; `from`: how many packets came before. */
const speak = async (
  port: number,
  suite: SrtpSuiteName,
  master: SrtpMaster,
  voice: readonly Buffer[],
  from = 0,
): Promise<void> => {
  const socket = createSocket('udp4');
  const sender = new SrtpSender(suite, master);
  for (const [place, payload] of voice.entries()) {
    const packet = sender.protectRtp(packetOf(payload, from + place), 0);
    await new Promise<void>((resolve) => socket.send(packet, port, '127.0.0.1', () => resolve()));
  }
  socket.close();
};

/** A way to a port, and back to whoever came first, that loses those datagrams that `loses` says, counted each way. */
const lossyWay = async (to: number, loses: (count: number) => boolean) => {
  const [near, far] = [createSocket('udp4'), createSocket('udp4')];
  let caller = 0;
  const counts = { there: 0, back: 0 };
  near.on('message', (datagram, { port }) => {
    caller = port;
    if (!loses(counts.there++)) far.send(datagram, to, '127.0.0.1');
  });
  far.on('message', (datagram) => {
    if (!loses(counts.back++)) near.send(datagram, caller, '127.0.0.1');
  });
  near.bind(0, '127.0.0.1');
  await once(near, 'listening');

  return {
    port: near.address().port,
    [Symbol.dispose]: () => {
      near.close();
      far.close();
    },
  };
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

  const suite = 'AEAD_AES_256_GCM';

  test('is called where the peer waits for that', async () => {
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

  const active = ({ fingerprint }: DtlsPeer, ...more: readonly string[]): readonly string[] => [
    `a=fingerprint:${fingerprint}`,
    'a=setup:active',
    'a=rtcp-mux',
    ...more,
  ];

  test('shakes hands over a way that loses some of it, among strangers who shout', async () => {
    await using peer = await DtlsPeer.open();
    using caller = await Caller.open(box.target);
    const { body } = await caller.invite(plain(offerOf('UDP/TLS/RTP/SAVP', 40_000, ...active(peer))));
    caller.ack();
    const [port = 0] = portsOf(body);
    using way = await lossyWay(port, (count) => count === 1);
    const stranger = createSocket('udp4');
    const hello = Buffer.from(`16feff0000000000000000${'00'.repeat(2)}01${'00'.repeat(40)}`, 'hex');
    hello.writeUInt16BE(hello.length - 13, 11);
    const shout = setInterval(() => {
      for (let count = 0; count < 10; count++) stranger.send(hello, port, '127.0.0.1');
    }, 20);
    const voice = payloads(50);
    try {
      const master = await peer.call(way.port, suite);
      await speak(port, suite, master, voice);
    } finally {
      clearInterval(shout);
      stranger.close();
    }
    await box.events(isTold(suite));
    await caller.bye();
    const { subject } = last(await box.sessionOf(caller.callId), 'session.ended');
    await heard(box, subject, voice);
  });

  test('goes on with the handshake, and then with its keys, after its home was killed', async () => {
    await using peer = await DtlsPeer.open();
    using caller = await Caller.open(box.target);
    const { body } = await caller.invite(plain(offerOf('UDP/TLS/RTP/SAVP', 40_000, ...active(peer))));
    caller.ack();
    const [port = 0] = portsOf(body);
    const isThis = (event: DomainEvent): boolean =>
      event.type === 'session.started' && event.data.dialogs[0]?.callId === caller.callId;
    const { subject } = (await box.events(isThis)).find(isThis) ?? assert.fail();
    const kill = async (): Promise<void> => {
      await box.endCapture('SIGKILL');
      await box.startCapture();
    };
    await kill();
    const master = await peer.call(port, suite);
    const voice = payloads(60);
    await speak(port, suite, master, voice.slice(0, 30));
    await box.events((event) => event.subject === subject && isTold(suite)(event));
    await box.events(
      (event) =>
        event.type === 'session.updated' &&
        event.subject === subject &&
        event.data.tracks[0]?.firstPacketAt !== undefined,
    );
    // Until it is synced, a kill may take it.
    await new Promise((resolve) => void setTimeout(resolve, 1_200));
    await kill();
    await speak(port, suite, master, voice.slice(30), 30);
    await caller.bye();
    const ended = last(await box.sessionOf(caller.callId), 'session.ended');
    assert.equal(ended.subject, subject);
    assert.equal(ended.data.tracks[0]?.encryption, `dtls:${suite}`);
    await heard(box, subject, voice);
  });

  test('keeps its keys as long as the peer stays the same, and takes those of another that it names', async () => {
    await using peer = await DtlsPeer.open();
    await using next = await DtlsPeer.open();
    using caller = await Caller.open(box.target);
    const named = (one: DtlsPeer, id: string) =>
      plain(offerOf('UDP/TLS/RTP/SAVP', 40_000, ...active(one, `a=tls-id:${id.repeat(20)}`)));
    const { body } = await caller.invite(named(peer, 'a'));
    caller.ack();
    const [port = 0] = portsOf(body);
    const ours = attributeOf(body, 'tls-id');
    assert.match(ours, /^[\w-]{20,}$/);
    const voice = payloads(60);
    const master = await peer.call(port, suite);
    await speak(port, suite, master, voice.slice(0, 20));
    const again = await caller.invite(named(peer, 'a'));
    caller.ack();
    assert.equal(attributeOf(again.body, 'tls-id'), ours);
    await speak(port, suite, master, voice.slice(20, 40), 20);
    const changed = await caller.invite(named(next, 'b'));
    caller.ack();
    assert.notEqual(attributeOf(changed.body, 'tls-id'), ours);
    assert.equal(attributeOf(changed.body, 'fingerprint'), attributeOf(body, 'fingerprint'));
    await speak(port, suite, await next.call(port, suite), voice.slice(40), 40);
    await caller.bye();
    const { subject, data } = last(await box.sessionOf(caller.callId), 'session.ended');
    assert.equal(data.flags, undefined);
    await heard(box, subject, voice);
  });

  test('is offered beside keys that can not be taken, and beside plain RTP', async () => {
    await using peer = await DtlsPeer.open();
    const key = `a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:${randomBytes(30).toString('base64')}`;
    for (const [profile, more] of [
      ['RTP/SAVP', [key]],
      ['RTP/AVP', []],
    ] as const) {
      using caller = await Caller.open(box.target);
      const { status, body } = await caller.invite(plain(offerOf(profile, 40_000, ...active(peer), ...more)));
      assert.equal(status, 200);
      caller.ack();
      assert.match(body, new RegExp(`m=audio \\d+ ${profile} 0\r\n`));
      assert.doesNotMatch(body, /crypto|tls-id/);
      const [port = 0] = portsOf(body);
      const voice = payloads(20);
      await speak(port, suite, await peer.call(port, suite), voice);
      await caller.bye();
      const { subject } = last(await box.sessionOf(caller.callId), 'session.ended');
      await heard(box, subject, voice);
    }
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
    // It may take what it has for its keys until it reads that it was turned away.
    const nobodys = { key: randomBytes(32), salt: randomBytes(12) };
    const master = await peer.call(port, suite).catch(() => nobodys);
    await speak(port, suite, master, payloads(10));
    await box.logged(/a DTLS handshake failed/);
    await caller.bye();
    const { subject, data } = last(await box.sessionOf(caller.callId), 'session.ended');
    assert.equal(`${data.state} ${data.endReason}`, 'CLOSED_ERROR no-media');
    assert.deepEqual(data.flags, ['dtls-failed']);
    assert.equal(data.tracks[0]?.encryption, undefined);
    const { handshakesFailed = 0, wrongCertificates = 0 } = data.tracks[0]?.figures ?? {};
    assert.ok(wrongCertificates >= 1 && handshakesFailed >= wrongCertificates);
    assert.equal((await box.manifest(subject)).tracks[0]?.packets, 0);
  });
});
