import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { SrtpSender, srtpLengths } from '@reelstream/testing/callers';
import type { SrtpMaster, SrtpSuiteName } from '@reelstream/testing/callers';
import type { SrtpKeying } from './keying.ts';
import { SrtpReceiver } from './srtp-receiver.ts';

const suites: readonly SrtpSuiteName[] = [
  'AES_CM_128_HMAC_SHA1_80',
  'AES_CM_128_HMAC_SHA1_32',
  'AES_256_CM_HMAC_SHA1_80',
  'AEAD_AES_128_GCM',
  'AEAD_AES_256_GCM',
];

const ssrc = 0xdeadbeef;

/** A packet by its place in the stream: its payload tells the place. */
const packetAt = (place: number, of = ssrc): Buffer => {
  const packet = Buffer.alloc(12 + 160, place & 0xff);
  packet.writeUInt16BE(0x8000, 0);
  packet.writeUInt16BE(place & 0xffff, 2);
  packet.writeUInt32BE((place * 160) >>> 0, 4);
  packet.writeUInt32BE(of, 8);
  packet.writeUInt32BE(place, 12);

  return packet;
};

const masterOf = (suite: SrtpSuiteName, fill: number, mki?: Uint8Array): SrtpMaster => {
  const { key, salt } = srtpLengths(suite);

  return { key: Buffer.alloc(key, fill), salt: Buffer.alloc(salt, fill + 1), ...(mki && { mki }) };
};

const keyingOf = (suite: SrtpSuiteName, ...masters: readonly SrtpMaster[]): SrtpKeying => ({
  suite,
  keys: masters.map(({ key, salt, mki }) => ({
    inline: Buffer.concat([key, salt]).toString('base64'),
    ...(mki && { mki: Buffer.from(mki).toString('hex') }),
  })),
});

/** A sender that counts from `first`, and the receiver of its stream. */
const stream = (suite: SrtpSuiteName, fill = 1) => {
  const sender = new SrtpSender(suite, masterOf(suite, fill));
  const receiver = new SrtpReceiver();
  assert.equal(receiver.setKeys(keyingOf(suite, masterOf(suite, fill))), true);

  return {
    sender,
    receiver,
    /** The packet at this place, sent and received; `roc` counts from the stream's beginning. */
    pass: (place: number, roc = Math.floor(place / 0x10000)): Buffer | undefined =>
      receiver.unprotect(sender.protectRtp(packetAt(place), roc), 'rtp'),
  };
};

for (const suite of suites) {
  describe(suite, () => {
    test('each packet is read as it was sent, CSRCs and extension included', () => {
      const { sender, receiver } = stream(suite);
      const rich = Buffer.concat([
        Buffer.from('92e0fffe80000001deadbeef0000000100000002bede000110aa0000', 'hex'),
        Buffer.from('what was said'),
      ]);
      assert.deepEqual(receiver.unprotect(sender.protectRtp(rich, 0), 'rtp'), rich);
      const empty = packetAt(65_535).subarray(0, 12);
      assert.deepEqual(receiver.unprotect(sender.protectRtp(empty, 0), 'rtp'), empty);
      const report = Buffer.from('80c80006deadbeef0102030405060708090a0b0c0d0e0f1011121314', 'hex');
      assert.deepEqual(receiver.unprotect(sender.protectRtcp(report, 1), 'rtcp'), report);
      assert.equal(receiver.unprotect(sender.protectRtcp(report, 1), 'rtcp'), undefined);
      assert.deepEqual(receiver.counts, {
        passed: 3,
        authFailed: 0,
        replayed: 1,
        noContext: 0,
        overLifetime: 0,
      });
    });

    test('three wraps of the sequence number, with loss and reordering around each', () => {
      const { pass } = stream(suite);
      for (const around of [65_536, 131_072, 196_608]) {
        for (let place = around - 400; place < around - 4; place += 7)
          assert.deepEqual(pass(place), packetAt(place));
        // The last before the wrap come after the first behind it; those in between never.
        for (const place of [around + 3, around - 2, around + 1, around - 4, around + 5])
          assert.deepEqual(pass(place), packetAt(place));
        for (let place = around + 6; place < around + 65_000; place += 997)
          assert.deepEqual(pass(place), packetAt(place));
      }
    });

    test('a packet that was altered, or encrypted under another key, is dropped and counted', () => {
      const { sender, receiver } = stream(suite);
      const forger = new SrtpSender(suite, masterOf(suite, 77));
      assert.equal(receiver.unprotect(forger.protectRtp(packetAt(1), 0), 'rtp'), undefined);
      for (let at = 0; at < 40; at++) {
        const packet = sender.protectRtp(packetAt(5), 0);
        const place = at < 12 ? at : packet.length - 1 - (at - 12);
        packet[place] = (packet[place] ?? 0) ^ 0x40;
        const before = Buffer.from(packet);
        assert.equal(receiver.unprotect(packet, 'rtp'), undefined, `byte ${place}`);
        assert.deepEqual(packet, before, 'it is left as it came');
      }
      assert.deepEqual(receiver.counts, {
        passed: 0,
        authFailed: 41,
        replayed: 0,
        noContext: 0,
        overLifetime: 0,
      });
      assert.deepEqual(receiver.unprotect(sender.protectRtp(packetAt(5), 0), 'rtp'), packetAt(5));
    });
  });
}

describe('a stream', () => {
  const suite = 'AES_CM_128_HMAC_SHA1_80';

  test('takes each packet once, and those that are a little late', () => {
    const { pass, receiver } = stream(suite);
    for (const place of [500, 501, 505, 503, 502, 504, 400, 506]) assert.ok(pass(place), `${place}`);
    for (const place of [500, 506, 400]) assert.equal(pass(place), undefined);
    assert.equal(pass(200), undefined, 'too late to know whether it came before');
    assert.deepEqual(receiver.counts, {
      passed: 8,
      authFailed: 0,
      replayed: 4,
      noContext: 0,
      overLifetime: 0,
    });
  });

  for (const missing of [30_000, 40_000, 70_000, 150_000, 200_000]) {
    test(`is found again after ${missing} packets are missing`, () => {
      const { pass } = stream(suite);
      for (let place = 60_000; place < 60_010; place++) assert.ok(pass(place));
      const back = 60_010 + missing;
      const read = Array.from({ length: 40 }, (_, each) => pass(back + each)).filter((packet) => packet);
      assert.ok(read.length >= 36, `${read.length} of 40 were read`);
    });
  }

  test('is not lost by forgeries of any sequence number', () => {
    const { pass, receiver } = stream(suite);
    const forger = new SrtpSender(suite, masterOf(suite, 77));
    for (let place = 100; place < 3_000; place++) {
      receiver.unprotect(forger.protectRtp(packetAt((place * 7_919) % 65_536), 0), 'rtp');
      assert.deepEqual(pass(place), packetAt(place));
    }
  });

  test('may change its SSRC: each has a rollover counter of its own', () => {
    const { sender, receiver, pass } = stream(suite);
    for (const place of [65_000, 65_535, 65_540]) assert.ok(pass(place));
    const other = (place: number) => sender.protectRtp(packetAt(place, 7), 0);
    assert.ok(receiver.unprotect(other(65_500), 'rtp'));
    assert.ok(pass(65_541));
    assert.deepEqual(receiver.takeRollovers(), [
      { ssrc, roc: 1, sequence: 5 },
      { ssrc: 7, roc: 0, sequence: 65_500 },
    ]);
    assert.equal(receiver.takeRollovers(), undefined);
    assert.ok(pass(65_542));
    assert.equal(receiver.takeRollovers(), undefined, 'nothing new and no wrap');
  });

  test('goes on in another process from what was noted, though that is old', () => {
    const first = stream(suite);
    for (let place = 60_000; place < 70_000; place += 100) assert.ok(first.pass(place));
    const noted = first.receiver.takeRollovers() ?? [];
    assert.deepEqual(noted, [{ ssrc, roc: 1, sequence: 4_364 }]);
    for (const later of [70_050, 110_000, 131_080]) {
      const second = stream(suite);
      second.receiver.restore(noted);
      const read = Array.from({ length: 20 }, (_, each) => second.pass(later + each)).filter(Boolean);
      assert.ok(read.length >= 18, `${read.length} of 20 at ${later}`);
    }
    const replayed = stream(suite);
    replayed.receiver.restore(noted);
    assert.equal(replayed.pass(69_900), undefined);
  });

  test('without a key yet lets nothing pass, and counts it so', () => {
    const receiver = new SrtpReceiver();
    assert.equal(receiver.unprotect(packetAt(1), 'rtp'), undefined);
    assert.equal(receiver.counts.noContext, 1);
    assert.equal(receiver.setKeys({ suite: 'F8_128_HMAC_SHA1_80', keys: [{ inline: 'AAAA' }] }), false);
    assert.equal(receiver.setKeys({ suite, keys: [{ inline: 'AAAA' }] }), false);
    assert.equal(receiver.setKeys({ suite, keys: [] }), false);
  });

  test('may be authenticated only', () => {
    const receiver = new SrtpReceiver();
    receiver.setKeys({ ...keyingOf(suite, masterOf(suite, 1)), unencryptedRtp: true });
    const sealed = new SrtpSender(suite, masterOf(suite, 1)).protectRtp(packetAt(3), 0);
    const encrypted = sealed.subarray(0, 172);
    assert.deepEqual(receiver.unprotect(Buffer.from(sealed), 'rtp'), encrypted);
  });
});

describe('new keys', () => {
  const suite = 'AEAD_AES_128_GCM';

  for (const [how, rocAfter] of [
    ['go on counting', 1],
    ['begin anew', 0],
  ] as const) {
    test(`may ${how}, and what was under way under the old ones is still read`, () => {
      const { sender, receiver, pass } = stream(suite);
      for (let place = 65_500; place < 65_600; place++) assert.ok(pass(place));
      receiver.setKeys(keyingOf(suite, masterOf(suite, 9)));
      const renewed = new SrtpSender(suite, masterOf(suite, 9));
      const after = (place: number) =>
        receiver.unprotect(renewed.protectRtp(packetAt(place), rocAfter), 'rtp');
      for (let place = 65_600; place < 65_610; place++)
        assert.ok(pass(place), 'the peer has not changed over yet');
      assert.ok(after(65_612));
      assert.ok(receiver.unprotect(sender.protectRtp(packetAt(65_611), 1), 'rtp'), 'a late one');
      for (let place = 65_613; place < 65_800; place++) assert.deepEqual(after(place), packetAt(place));
      assert.deepEqual(receiver.takeRollovers(), [{ ssrc, roc: rocAfter, sequence: 263 }]);
      assert.equal(receiver.counts.authFailed, 0);
    });
  }

  test('that are the same as before change nothing', () => {
    const { receiver, pass } = stream(suite);
    assert.ok(pass(5));
    receiver.setKeys(keyingOf(suite, masterOf(suite, 1)));
    assert.equal(pass(5), undefined);
    assert.equal(receiver.counts.replayed, 1);
  });

  test('have lifetimes of their own: what comes behind the end of one is read, and counted', () => {
    const receiver = new SrtpReceiver();
    const given = (fill: number, lifetime: number) => {
      const keying = keyingOf(suite, masterOf(suite, fill));
      receiver.setKeys({ ...keying, keys: keying.keys.map((key) => ({ ...key, lifetime })) });

      return new SrtpSender(suite, masterOf(suite, fill));
    };
    const first = given(1, 3);
    for (let place = 0; place < 5; place++)
      assert.ok(receiver.unprotect(first.protectRtp(packetAt(place), 0), 'rtp'));
    const report = Buffer.from('81c90001deadbeef', 'hex');
    for (let index = 0; index < 4; index++)
      assert.ok(receiver.unprotect(first.protectRtcp(report, index), 'rtcp'));
    assert.equal(receiver.counts.overLifetime, 3);
    for (const fill of [20, 30, 40]) {
      const next = given(fill, 1_000);
      assert.ok(receiver.unprotect(next.protectRtp(packetAt(fill), 0), 'rtp'));
    }
    assert.equal(receiver.counts.overLifetime, 3, 'also when the key is forgotten');
  });

  test('are told apart by their MKI; a peer that leaves it out is read too', () => {
    const one = masterOf(suite, 1, Buffer.from([0, 1]));
    const two = masterOf(suite, 9, Buffer.from([0, 2]));
    const receiver = new SrtpReceiver();
    receiver.setKeys(keyingOf(suite, one, two));
    const plain = new SrtpSender(suite, masterOf(suite, 1));
    assert.deepEqual(
      receiver.unprotect(new SrtpSender(suite, one).protectRtp(packetAt(1), 0), 'rtp'),
      packetAt(1),
    );
    assert.deepEqual(
      receiver.unprotect(new SrtpSender(suite, two).protectRtp(packetAt(2), 0), 'rtp'),
      packetAt(2),
    );
    assert.deepEqual(receiver.unprotect(plain.protectRtp(packetAt(3), 0), 'rtp'), packetAt(3));
    const report = Buffer.from('80c90001deadbeef', 'hex');
    const sealed = new SrtpSender(suite, two).protectRtcp(report, 4);
    assert.deepEqual(receiver.unprotect(sealed, 'rtcp'), report);
  });
});

/** Seeded, so that a failure can be repeated. */
const randomFrom = (seed: number) => {
  let state = seed;

  return (below: number): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;

    return Math.floor((state / 0x100000000) * below);
  };
};

test('no truncation, no flipped bit and no noise throws or passes', () => {
  const random = randomFrom(3711);
  const report = Buffer.from('81c90001deadbeef', 'hex');
  for (const suite of suites) {
    for (const mki of [undefined, Buffer.from([1, 2, 3, 4])]) {
      const receiver = new SrtpReceiver();
      receiver.setKeys(keyingOf(suite, masterOf(suite, 1, mki)));
      const sender = new SrtpSender(suite, masterOf(suite, 1, mki));
      const whole = { rtp: sender.protectRtp(packetAt(9), 0), rtcp: sender.protectRtcp(report, 1) };
      for (const kind of ['rtp', 'rtcp'] as const) {
        const packet = whole[kind];
        // Where an MKI was agreed and nothing but it is cut off, the packet is one of a peer that leaves it out.
        for (let length = 0; length < packet.length - (mki ? 5 : 0); length++)
          assert.equal(receiver.unprotect(Buffer.from(packet.subarray(0, length)), kind), undefined);
        for (let round = 0; round < 300; round++) {
          const damaged = Buffer.from(packet);
          const place = random(packet.length);
          damaged[place] = (damaged[place] ?? 0) ^ (1 << random(8));
          const noise = Buffer.from(Array.from({ length: random(64) }, () => random(256)));
          assert.equal(receiver.unprotect(damaged, kind), undefined, `${suite} ${kind} byte ${place}`);
          assert.equal(receiver.unprotect(noise, kind), undefined);
        }
      }
    }
  }
});
