import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { formatSource } from './packet-batch.ts';
import { SourceLatch } from './source-latch.ts';
import type { Endpoint, SourcePolicy } from './source-latch.ts';

const packet = (ssrc: number, sequence: number): Buffer => {
  const bytes = Buffer.alloc(20);
  bytes[0] = 0x80;
  bytes.writeUInt16BE(sequence & 0xffff, 2);
  bytes.writeUInt32BE(ssrc, 8);

  return bytes;
};

const at = (address: string, port: number): Endpoint => ({ address, port });
const nat = at('198.51.100.1', 4_000);
const natPort = at('198.51.100.1', 4_010);
const stranger = at('203.0.113.66', 9_999);
const named = at('192.0.2.5', 20_000);

const latch = (policy: SourcePolicy = 'follow', description?: Endpoint) => {
  const source = new SourceLatch(policy);
  if (description) source.describe(description);

  return {
    source,
    /** Whether RTP of `from` at `ms` is taken. */
    rtp: (from: Endpoint, ms: number, ssrc = 7, sequence = Math.round(ms / 20)): boolean => {
      const body = formatSource(from.address, from.port);
      source.seeRtpSource(body, 0, body.length);

      return source.takeRtp(packet(ssrc, sequence), 0, ms * 1e6);
    },
    rtcp: (from: Endpoint): boolean => {
      const body = formatSource(from.address, from.port);
      source.seeRtcpSource(body, 0, body.length);

      return source.takeRtcp();
    },
  };
};

describe('media from behind a NAT', () => {
  test('is taken from where it first comes, though the description names another address', () => {
    const { source, rtp } = latch('follow', named);
    assert.equal(source.rtp, undefined);
    assert.ok(rtp(nat, 0));
    assert.ok(rtp(nat, 20));
    assert.deepEqual(source.rtp, nat);
  });

  test('is not mixed with what strangers send meanwhile, which is counted', () => {
    const { source, rtp } = latch('follow', named);
    for (let ms = 0; ms < 4_000; ms += 20) {
      assert.ok(rtp(nat, ms));
      assert.ok(!rtp(stranger, ms + 1, 666, ms));
    }
    assert.equal(source.strays, 200);
    assert.equal(source.moves, 0);
  });

  test('is followed to another address where it carries on, at once', () => {
    const { source, rtp } = latch();
    assert.ok(rtp(nat, 0) && rtp(nat, 20));
    assert.ok(rtp(stranger, 40));
    assert.deepEqual(source.rtp, stranger);
    assert.equal(source.moves, 1);
    // Who repeats old numbers does not carry on.
    assert.ok(!rtp(nat, 60, 7, 1));
  });

  test('is followed elsewhere once the old source is silent: soon to another port, later to another address', () => {
    const port = latch();
    assert.ok(port.rtp(nat, 0));
    assert.ok(!port.rtp(natPort, 100, 8));
    assert.ok(port.rtp(natPort, 220, 8));
    const address = latch();
    assert.ok(address.rtp(nat, 0));
    assert.ok(!address.rtp(stranger, 1_900, 8));
    assert.ok(address.rtp(stranger, 2_000, 8));
  });
});

describe('the peer’s description', () => {
  test('outranks who came first', () => {
    const { source, rtp } = latch('follow', named);
    assert.ok(rtp(stranger, 0, 666));
    assert.ok(rtp(named, 20));
    assert.ok(!rtp(stranger, 40, 666));
    assert.deepEqual(source.rtp, named);
  });

  test('tells the leftovers of another call from one machine from those of this one', () => {
    const { rtp } = latch('follow', named);
    assert.ok(rtp({ ...named, port: 30_000 }, 0, 666));
    assert.ok(rtp(named, 5));
    assert.ok(!rtp({ ...named, port: 30_000 }, 20, 666));
  });

  test('that names a new address is followed without waiting', () => {
    const { source, rtp } = latch('follow', named);
    assert.ok(rtp(named, 0));
    source.describe(stranger);
    assert.ok(rtp(stranger, 20, 8));
    assert.ok(!rtp(named, 40));
  });

  test('is the only way in where the policy is strict', () => {
    const { rtp } = latch('strict', named);
    assert.ok(!rtp(stranger, 0));
    assert.ok(rtp({ ...named, port: 1_234 }, 20));
    assert.ok(!rtp(stranger, 5_000));
    const unnamed = latch('strict');
    assert.ok(unnamed.rtp(nat, 0));
    assert.ok(!unnamed.rtp(stranger, 60_000));
    assert.ok(unnamed.rtp(natPort, 60_000));
  });
});

test('with SRTP, or where everybody is let in, packets count and not where they come from', () => {
  const trusted = latch('strict', named);
  trusted.source.trust();
  const open = latch('any');
  for (const { rtp, rtcp, source } of [trusted, open]) {
    assert.ok(rtp(nat, 0) && rtp(stranger, 1, 8) && rtp(nat, 2) && rtcp(stranger));
    assert.equal(source.strays, 0);
    assert.deepEqual(source.rtp, nat);
  }
});

test('RTCP is taken from any port of where media come from or should, IPv6 as well', () => {
  const six = at('2001:db8::1', 4_000);
  const { source, rtp, rtcp } = latch('follow', named);
  assert.ok(rtp(six, 0));
  assert.ok(rtcp({ ...six, port: 4_001 }));
  assert.deepEqual(source.rtcp, { address: '2001:db8:0:0:0:0:0:1', port: 4_001 });
  assert.ok(rtcp({ ...named, port: 1 }));
  assert.ok(!rtcp(stranger));
  assert.ok(!rtcp(at('2001:db8::2', 4_001)));
  assert.equal(source.strays, 2);
});
