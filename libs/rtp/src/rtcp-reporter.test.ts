import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ControlStatistics } from './control-statistics.ts';
import { rtcpIntervalMs } from './rtcp-interval.ts';
import { RtcpReporter } from './rtcp-reporter.ts';
import { StreamStatistics } from './stream-statistics.ts';

const terms = { members: 2, senders: 1, rtcpBps: 3_200, averageBytes: 100, initial: false, random: 0.5 };
/** Of the mean. */
const compensation = 1.21828;

describe('the interval', () => {
  test('is 5 s in the mean, spread by half, and half of it before the first report', () => {
    const close = (value: number, expected: number): void =>
      assert.ok(Math.abs(value - expected) < 1, `${value} is not ${expected}`);
    close(rtcpIntervalMs(terms), 5_000 / compensation);
    close(rtcpIntervalMs({ ...terms, random: 0 }), 2_500 / compensation);
    close(rtcpIntervalMs({ ...terms, random: 1 }), 7_500 / compensation);
    close(rtcpIntervalMs({ ...terms, initial: true }), 2_500 / compensation);
  });

  test('is shorter for a fast stream, but not under a second, and longer where bandwidth is scarce', () => {
    assert.ok(Math.abs(rtcpIntervalMs({ ...terms, mediaKbps: 144 }) - 2_500 / compensation) < 1);
    assert.ok(Math.abs(rtcpIntervalMs({ ...terms, mediaKbps: 8_000 }) - 1_000 / compensation) < 1);
    assert.equal(rtcpIntervalMs({ ...terms, mediaKbps: 16 }), rtcpIntervalMs(terms));
    // 100 bytes at 80 bit/s are 10 s.
    assert.ok(Math.abs(rtcpIntervalMs({ ...terms, receiversBps: 80 }) - 10_000 / compensation) < 1);
    assert.equal(rtcpIntervalMs({ ...terms, receiversBps: 0 }), Infinity);
  });
});

const packet = (ssrc: number, sequence: number): Buffer => {
  const bytes = Buffer.alloc(172);
  bytes[0] = 0x80;
  bytes.writeUInt16BE(sequence & 0xffff, 2);
  bytes.writeUInt32BE((sequence * 160) >>> 0, 4);
  bytes.writeUInt32BE(ssrc, 8);

  return bytes;
};

const setUp = (random: () => number) => {
  const statistics = new StreamStatistics();
  const control = new ControlStatistics();
  const reporter = new RtcpReporter(statistics, control, { cname: 'name', random });
  /** Media of `seconds` at 50 packets a second from `fromNs`. */
  const hear = (ssrc: number, fromNs: number, seconds: number): void => {
    for (let n = 0; n < 50 * seconds; n++) {
      const nowNs = fromNs + n * 20e6;
      statistics.takeRtp(packet(ssrc, Math.round(nowNs / 20e6)), 0, 172, nowNs);
    }
  };

  return { statistics, control, reporter, hear };
};

const ssrcOf = (report: Buffer): number => report.readUInt32BE(4);
const blocksOf = (report: Buffer): number[] =>
  Array.from({ length: report[0]! & 0x1f }, (_, i) => report.readUInt32BE(8 + 24 * i));

test('nothing is said before media came, then reports at the interval, and BYE at the end', () => {
  const { reporter, hear } = setUp(() => 0.5);
  assert.equal(reporter.due(60e9), undefined);
  assert.equal(reporter.bye(60e9), undefined);
  const sent: number[] = [];
  for (let beat = 0; beat < 300; beat++) {
    const nowNs = beat * 100e6;
    hear(7, nowNs, 0.1);
    const report = reporter.due(nowNs + 100e6);
    if (report) sent.push(beat / 10);
    if (report) assert.deepEqual(blocksOf(report), [7]);
  }
  // 2.5 s / 1.218, then 5 s / 1.218 each.
  assert.ok(sent.length === 7 || sent.length === 8, sent.join());
  const farewell = reporter.bye(31e9);
  assert.ok(farewell);
  assert.equal(farewell.subarray(-8).toString('hex', 0, 4), '81cb0001');
});

test('a report tells the sender when its own came, and of loss since the last', () => {
  const { statistics, control, reporter, hear } = setUp(() => 0.5);
  hear(7, 0, 2);
  const bytes = Buffer.alloc(28);
  bytes.set([0x80, 200, 0, 6]);
  bytes.writeUInt32BE(7, 4);
  bytes.writeUInt32BE(0x0000abcd, 8);
  bytes.writeUInt32BE(0xef010000, 12);
  control.take(bytes, 0, bytes.length, 2e9);
  const first = reporter.due(4e9);
  assert.ok(first);
  assert.equal(first.readUInt32BE(8 + 16), 0xabcdef01);
  assert.equal(first.readUInt32BE(8 + 20), 2 * 65_536);
  assert.equal(first[8 + 4], 0);
  // Half of a second's packets are lost.
  for (let n = 100; n < 150; n += 2) statistics.takeRtp(packet(7, n), 0, 172, 4e9 + n * 20e6);
  const second = reporter.due(60e9);
  assert.ok(second);
  assert.ok(Math.abs(second[8 + 4]! / 256 - 0.5) < 0.02);
});

test('only who sent since the last report is reported on', () => {
  const { reporter, hear } = setUp(() => 0.5);
  hear(7, 0, 3);
  assert.deepEqual(blocksOf(reporter.due(3e9)!), [7]);
  hear(8, 3.1e9, 6);
  assert.deepEqual(blocksOf(reporter.due(9.1e9)!), [8]);
});

test('a sender that has our SSRC gets a BYE of it and reports under another', () => {
  const values = [0.25, ...Array.from({ length: 6 }, () => 0.5), 0.25, 0.75];
  const { reporter, hear } = setUp(() => values.shift() ?? 0.5);
  const before = reporter.ssrc;
  hear(7, 0, 3);
  assert.equal(ssrcOf(reporter.due(3e9)!), before);
  hear(before, 3e9, 6);
  const report = reporter.due(9e9)!;
  assert.notEqual(ssrcOf(report), before);
  assert.ok(
    report.includes(
      Buffer.from([
        0x81,
        203,
        0,
        1,
        before >>> 24,
        (before >> 16) & 0xff,
        (before >> 8) & 0xff,
        before & 0xff,
      ]),
    ),
  );
});

test('a peer that grants receivers no bandwidth hears nothing', () => {
  const { reporter, hear } = setUp(() => 0.5);
  reporter.terms = { mediaKbps: 64, receiversBps: 0 };
  hear(7, 0, 3);
  assert.equal(reporter.due(600e9), undefined);
});
