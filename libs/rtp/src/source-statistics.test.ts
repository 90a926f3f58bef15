import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ReceiverReportPacket } from 'rtp.js/packets';
import { formatReceiverReport } from './rtcp-writer.ts';
import { SourceStatistics } from './source-statistics.ts';
import { StreamStatistics } from './stream-statistics.ts';

const taking = (sequence: readonly number[]): SourceStatistics => {
  const statistics = new SourceStatistics(9, sequence[0]!);
  for (const number of sequence) statistics.take(number & 0xffff);

  return statistics;
};
const from = (first: number, count: number): number[] => Array.from({ length: count }, (_, i) => first + i);

const packet = (ssrc: number, sequence: number, payloadType = 0, timestamp = sequence * 160): Buffer => {
  const bytes = Buffer.alloc(172);
  bytes.writeUInt8(0x80, 0);
  bytes.writeUInt8(payloadType, 1);
  bytes.writeUInt16BE(sequence & 0xffff, 2);
  bytes.writeUInt32BE(timestamp >>> 0, 4);
  bytes.writeUInt32BE(ssrc, 8);

  return bytes;
};

test('an unbroken stream loses nothing, over two wraps', () => {
  const statistics = taking(from(65_000, 70_000 + 65_536));
  assert.deepEqual([statistics.lost, statistics.expected], [0, 135_536]);
  assert.equal(statistics.extendedHighest, 65_000 + 135_535);
});

test('what is missing is lost; what is late is not; what comes twice counts twice', () => {
  assert.equal(taking(from(0, 100).filter((n) => n % 10 !== 5)).lost, 10);
  assert.equal(taking([1, 2, 4, 3, 5]).lost, 0);
  assert.equal(taking([65_534, 0, 65_535, 1]).lost, 0);
  assert.equal(taking([1, 2, 2, 2, 3]).lost, -2);
});

test('one stray number changes nothing; two in a row mean that the sender began anew', () => {
  assert.equal(taking([...from(0, 50), 30_000, ...from(50, 50)]).lost, 0);
  const restarted = taking([...from(0, 50), ...from(30_000, 50)]);
  assert.deepEqual([restarted.lost, restarted.received], [0, 100]);
  const twice = taking([...from(100, 50), ...from(65_530, 20), ...from(20_000, 3)]);
  assert.deepEqual([twice.lost, twice.received], [0, 73]);
});

test('jitter follows the recursion of RFC 3550 A.8, and a wrapping timestamp is no jitter', () => {
  const statistics = new SourceStatistics(1, 0);
  let jitter = 0;
  let before: number | undefined;
  const delays = [0, 3, 40, 0, 17, 17, 90, 1];
  for (const [i, delay] of delays.entries()) {
    const timestamp = (0xffffffff - 320 + i * 160) >>> 0;
    statistics.takeTransit(i * 160 + delay, timestamp);
    if (before !== undefined) jitter += (Math.abs(delay - before) - jitter) / 16;
    before = delay;
  }
  assert.ok(Math.abs(statistics.jitter - jitter) < 1e-9);
});

test('a stream is counted per SSRC, its payload types in stretches, its holes with their length', () => {
  const statistics = new StreamStatistics();
  const holes: { fromNs: number; durationNs: number; packets: number }[] = [];
  statistics.onMissing = (missing) => holes.push(missing);
  const take = (bytes: Buffer, ms: number) => statistics.takeRtp(bytes, 0, bytes.length, ms * 1e6);
  for (let i = 0; i < 10; i++) take(packet(1, i), i * 20);
  for (let i = 20; i < 30; i++) take(packet(1, i, 8), i * 20);
  for (let i = 0; i < 5; i++) take(packet(2, 500 + i), 600 + i * 20);
  assert.deepEqual([statistics.packets, statistics.lost, statistics.sources.length], [25, 10, 2]);
  assert.deepEqual(holes, [{ fromNs: 200e6, durationNs: 200e6, packets: 10 }]);
  assert.deepEqual(
    statistics.stretches.map(({ ssrc, payloadType, packets }) => [ssrc, payloadType, packets]),
    [
      [1, 0, 10],
      [1, 8, 10],
      [2, 0, 5],
    ],
  );
  assert.ok((statistics.jitterMs ?? 1) < 1e-6);
});

test('a peer that sends ever new SSRCs costs bounded memory and is still counted', () => {
  const statistics = new StreamStatistics();
  for (let i = 0; i < 10_000; i++) statistics.takeRtp(packet(i, i), 0, 172, i);
  assert.equal(statistics.packets, 10_000);
  assert.ok(statistics.sources.length <= 64 && statistics.stretches.length <= 256);
});

test('a receiver report says what rtp.js reads back', () => {
  const statistics = taking(from(65_500, 100).filter((n) => n % 10 !== 5));
  const before = { expected: 0, received: 0 };
  const bytes = formatReceiverReport(77, [
    { statistics, before, lastSenderReport: 5, delaySinceLastSenderReport: 6 },
  ]);
  const read = new ReceiverReportPacket(
    new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength),
  ).dump();
  assert.equal(read.ssrc, 77);
  const [report] = read.reports;
  assert.deepEqual(
    [report?.ssrc, report?.totalLost, report?.highestSeq, report?.fractionLost, report?.lsr, report?.dlsr],
    [9, 10, 65_599, Math.floor((10 * 256) / 100), 5, 6],
  );
});
