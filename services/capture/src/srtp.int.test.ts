import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { readdir, readFile } from 'node:fs/promises';
import { setTimeout } from 'node:timers/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { DomainEvent, EventOf, EventType } from '@reelstream/events';
import { readJournal } from '@reelstream/recording';
import { Secret } from '@reelstream/service';
import {
  CallError,
  placeBibLeg,
  placeSiprecCall,
  SrtpSender,
  srtpLengths,
} from '@reelstream/testing/callers';
import type { CallLeg, SrtpMaster, SrtpSuiteName } from '@reelstream/testing/callers';
import { readTrackKeys } from './session-keys.ts';
import { Box, overTls } from './test-support/box.ts';
import { Caller } from './test-support/caller.ts';
import { plain, portsOf } from './test-support/offers.ts';

const suites: readonly SrtpSuiteName[] = [
  'AES_CM_128_HMAC_SHA1_80',
  'AES_CM_128_HMAC_SHA1_32',
  'AEAD_AES_128_GCM',
  'AEAD_AES_256_GCM',
];

const last = <T extends EventType>(events: readonly DomainEvent[], type: T): EventOf<T> => {
  const found = events.filter((event): event is EventOf<T> => event.type === type).at(-1);
  assert.ok(found, `no ${type} among ${events.map((event) => event.type).join(', ')}`);

  return found;
};

/** G.711 that nobody could guess. */
const noise = (packets: number): Buffer => randomBytes(packets * 160);

const legOf = (codec: 'PCMU' | 'PCMA', payload: Buffer, user: string): CallLeg => ({
  codec,
  audio: { payload },
  address: `sip:${user}@example.com`,
});

/** Told by a digest: a difference of thousands of samples says nothing. */
const sameBytes = (found: readonly Buffer[], wanted: readonly Buffer[]): void => {
  const digest = (buffers: readonly Buffer[]): string =>
    `${buffers.length} of ${createHash('sha256').update(Buffer.concat(buffers)).digest('hex')}`;
  assert.equal(digest(found), digest(wanted));
};

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
        target: box.tlsUri,
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
      assert.ok(
        manifest.tracks.every(({ rtcpPackets }) => rtcpPackets > 0),
        'RTCP is decrypted, too',
      );
    });
  }

  test('has its keys and rollover counters in the journal, for nobody but this cluster', async () => {
    await using call = await placeSiprecCall({
      target: box.tlsUri,
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
      target: box.tlsUri,
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
      target: box.tlsUri,
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

const offerOf = (profile: string, ...lines: readonly string[]): string =>
  [
    'v=0',
    'o=src 1 1 IN IP4 127.0.0.1',
    's=-',
    'c=IN IP4 127.0.0.1',
    't=0 0',
    ...(profile === '' ? [] : [`m=audio 40000 ${profile} 0`, 'a=rtpmap:0 PCMU/8000', 'a=sendonly', ...lines]),
    '',
  ].join('\r\n');

const cryptoLine = (suite: SrtpSuiteName, { key, salt }: SrtpMaster): string =>
  `a=crypto:3 ${suite} inline:${Buffer.concat([key, salt]).toString('base64')}|2^31`;

const masterOf = (suite: SrtpSuiteName): SrtpMaster => {
  const { key, salt } = srtpLengths(suite);

  return { key: randomBytes(key), salt: randomBytes(salt) };
};

describe('without TLS', () => {
  let box: Box;
  before(async () => {
    box = await Box.open({ capacity: 20 });
  });
  after(() => box[Symbol.asyncDispose]());
  const suite = 'AES_CM_128_HMAC_SHA1_80';

  test('a call whose keys anybody could read is refused, and it is told why', async () => {
    using caller = await Caller.open(box.target);
    const answer = await caller.invite(plain(offerOf('RTP/SAVP', cryptoLine(suite, masterOf(suite)))));
    assert.equal(answer.status, 488);
    const events = await box.events(
      (event) => event.type === 'attempt.refused' && event.data.callId === caller.callId,
    );
    assert.equal(last(events, 'attempt.refused').data.cause, 'sdes-without-tls');
  });

  test('of two streams the encrypted one is refused, the other recorded', async () => {
    using caller = await Caller.open(box.target);
    const offer = `${offerOf('RTP/SAVP', cryptoLine(suite, masterOf(suite)))}m=audio 40002 RTP/AVP 0\r\na=sendonly\r\n`;
    const answer = await caller.invite(plain(offer));
    assert.equal(answer.status, 200);
    caller.ack();
    const [refused, taken] = portsOf(answer.body);
    assert.equal(refused, 0);
    assert.ok((taken ?? 0) > 0);
    await caller.bye();
  });

  test('keys beside plain RTP are passed over, and a peer that can fall back is let fall back', async () => {
    for (const [profile, headers] of [
      ['RTP/AVP', []],
      ['RTP/SAVP', ['Supported: X-cisco-srtp-fallback']],
    ] as const) {
      using caller = await Caller.open(box.target);
      const offer = offerOf(profile, cryptoLine(suite, masterOf(suite)));
      const answer = await caller.invite(plain(offer, ...headers));
      assert.equal(answer.status, 200);
      caller.ack();
      assert.match(answer.body, /m=audio \d+ RTP\/AVP 0/);
      assert.doesNotMatch(answer.body, /crypto/);
      await caller.bye();
    }
  });

  test('the test caller is told of the refusal, too', async () => {
    const { address, port } = box.target;
    await assert.rejects(
      placeSiprecCall({
        target: `sip:record@${address}:${port}`,
        legs: [legOf('PCMU', noise(2), 'alice')],
        srtp: suite,
      }),
      (error) => error instanceof CallError && error.status === 488,
    );
  });
});

/** A phone that sends what it is told to, in any order, under any key. */
class Phone implements Disposable {
  readonly #socket = createSocket('udp4');
  readonly #port: number;
  #sent = 0;

  constructor(port: number) {
    this.#port = port;
  }

  async send(packet: Buffer): Promise<void> {
    this.#sent += 1;
    // A burst of all would be more than the kernel holds for a receiver that gets no turn: it is loss that nobody meant.
    if (this.#sent % 20 === 0) await setTimeout(10);
    await new Promise<void>((resolve) => this.#socket.send(packet, this.#port, '127.0.0.1', () => resolve()));
  }

  [Symbol.dispose](): void {
    this.#socket.close();
  }
}

const packetAt = (place: number): Buffer => {
  const packet = Buffer.alloc(172, place % 251);
  packet.writeUInt16BE(0x8000, 0);
  packet.writeUInt16BE(place & 0xffff, 2);
  packet.writeUInt32BE((place * 160) >>> 0, 4);
  packet.writeUInt32BE(0xabcdef01, 8);

  return packet;
};

describe('where it was configured that keys may come without TLS', () => {
  let box: Box;
  before(async () => {
    box = await Box.open({ capacity: 20, settings: { REEL_SDES_WITHOUT_TLS: 'yes' } });
  });
  after(() => box[Symbol.asyncDispose]());
  const suite = 'AES_CM_128_HMAC_SHA1_32';

  const open = async (master: SrtpMaster) => {
    const caller = await Caller.open(box.target);
    const answer = await caller.invite(plain(offerOf('RTP/SAVP', cryptoLine(suite, master))));
    assert.equal(answer.status, 200);
    assert.match(answer.body, /m=audio \d+ RTP\/SAVP 0\r\n/);
    assert.match(answer.body, /a=crypto:3 AES_CM_128_HMAC_SHA1_32 inline:[A-Za-z0-9+/]{40}\r\n/);
    caller.ack();

    return { caller, answer, phone: new Phone(portsOf(answer.body)[0] ?? 0) };
  };

  test('loss, reordering and replay around a wrap: what came is there, once', async () => {
    const master = masterOf(suite);
    const { caller: opened, phone: its } = await open(master);
    using caller = opened;
    using phone = its;
    const sender = new SrtpSender(suite, master);
    const protect = (place: number): Buffer => sender.protectRtp(packetAt(place), Math.floor(place / 65_536));
    const places = Array.from({ length: 400 }, (_each, at) => 65_336 + at).filter((place) => place % 5 !== 0);
    // Neighbours trade places, those around the wrap too; each fourth packet comes twice, each tenth twice and late.
    for (let at = 0; at + 1 < places.length; at += 2)
      [places[at], places[at + 1]] = [places[at + 1]!, places[at]!];
    for (const [at, place] of places.entries()) {
      await phone.send(protect(place));
      if (at % 4 === 0) await phone.send(protect(place));
      if (at % 10 === 9) await phone.send(protect(places[at - 9]!));
    }
    await phone.send(randomBytes(200).fill(0x80, 0, 1).fill(0, 1, 2));
    await caller.bye();
    const { subject, data } = last(await box.sessionOf(caller.callId), 'session.ended');
    const numbers = (packets: readonly Buffer[]): string =>
      packets.map((packet) => packet.readUInt16BE(2)).join(' ');
    const kept = await box.packets(subject, 0);
    assert.equal(numbers(kept), numbers(places.map(packetAt)));
    sameBytes(kept, places.map(packetAt));
    assert.equal(data.tracks[0]?.packets, places.length);
  });

  test('a call under another key than it said is kept as one of which nothing could be read', async () => {
    const { caller: opened, phone: its } = await open(masterOf(suite));
    using caller = opened;
    using phone = its;
    const sender = new SrtpSender(suite, masterOf(suite));
    for (let place = 0; place < 20; place += 1) await phone.send(sender.protectRtp(packetAt(place), 0));
    await caller.bye();
    const { data } = last(await box.sessionOf(caller.callId), 'session.ended');
    assert.deepEqual(data.flags, ['srtp-auth-failed']);
    assert.equal(`${data.state} ${data.endReason}`, 'CLOSED_ERROR no-media');
    assert.equal(data.tracks[0]?.encryption, `sdes:${suite}`);
  });

  test('new keys in the middle: nothing is lost, whether the peer counts on or begins anew', async () => {
    const masters = [masterOf(suite), masterOf(suite), masterOf(suite)] as const;
    const { caller: opened, answer, phone: its } = await open(masters[0]);
    using caller = opened;
    using phone = its;
    const ours = /inline:(\S+)/.exec(answer.body)?.[1];
    const sent: Buffer[] = [];
    const say = async (master: SrtpMaster, from: number, roc: number): Promise<void> => {
      const sender = new SrtpSender(suite, master);
      for (let place = from; place < from + 20; place += 1) {
        sent.push(packetAt(place));
        await phone.send(sender.protectRtp(packetAt(place), place < 65_536 ? 0 : roc));
      }
    };
    const rekey = async (master: SrtpMaster): Promise<void> => {
      const renewed = await caller.invite(plain(offerOf('RTP/SAVP', cryptoLine(suite, master))));
      assert.equal(renewed.status, 200);
      assert.equal(/inline:(\S+)/.exec(renewed.body)?.[1], ours, 'our key stays');
      caller.ack();
    };
    await say(masters[0], 65_526, 1);
    await rekey(masters[1]);
    await say(masters[0], 65_546, 1);
    await say(masters[1], 65_566, 1);
    await rekey(masters[2]);
    await say(masters[2], 65_586, 0);
    await caller.bye();
    const { subject } = last(await box.sessionOf(caller.callId), 'session.ended');
    sameBytes(await box.packets(subject, 0), sent);
  });

  test('a peer that leaves the offer to us is offered keys beside plain RTP, and may take them', async () => {
    const master = masterOf(suite);
    using caller = await Caller.open(box.target);
    const offered = await caller.invite();
    assert.match(offered.body, /m=audio \d+ RTP\/AVP /);
    const tag = /a=crypto:(\d) AES_CM_128_HMAC_SHA1_32 /.exec(offered.body)?.[1] ?? '';
    caller.ack(offerOf('RTP/AVP', cryptoLine(suite, master).replace(':3 ', `:${tag} `)));
    using phone = new Phone(portsOf(offered.body)[0] ?? 0);
    const isTold = (event: DomainEvent): boolean =>
      event.type === 'session.updated' && event.data.tracks[0]?.encryption === `sdes:${suite}`;
    await box.events(isTold);
    const sender = new SrtpSender(suite, master);
    for (let place = 0; place < 10; place += 1) await phone.send(sender.protectRtp(packetAt(place), 0));
    await caller.bye();
    const { subject } = last(await box.sessionOf(caller.callId), 'session.ended');
    sameBytes(
      await box.packets(subject, 0),
      Array.from({ length: 10 }, (_each, place) => packetAt(place)),
    );
  });
});
