import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { estimateMos, impairmentOf } from './e-model.ts';
import { SourceStatistics } from './source-statistics.ts';
import { StreamStatistics } from './stream-statistics.ts';

const taking = (sequence: readonly number[]): SourceStatistics => {
  const statistics = new SourceStatistics(9, sequence[0]!);
  for (const number of sequence) statistics.take(number & 0xffff);

  return statistics;
};

const figures = ({ lost, missing, duplicates, reordered, skips }: SourceStatistics) => ({
  lost,
  missing,
  duplicates,
  reordered,
  skips,
});

describe('of one source', () => {
  test('what is late is told from what came twice, and neither hides a loss', () => {
    const none = { lost: 0, missing: 0, duplicates: 0, reordered: 0, skips: 0 };
    assert.deepEqual(figures(taking([1, 2, 3])), none);
    assert.deepEqual(figures(taking([1, 3, 2, 4])), { ...none, reordered: 1, skips: 1 });
    assert.deepEqual(figures(taking([1, 2, 2, 3, 1])), { ...none, lost: -2, duplicates: 2 });
    assert.deepEqual(figures(taking([1, 1])), { ...none, lost: -1, duplicates: 1 });
    assert.deepEqual(figures(taking([1, 4, 4, 2, 2, 5])), {
      lost: -1,
      missing: 1,
      duplicates: 2,
      reordered: 1,
      skips: 1,
    });
  });

  test('the same over a wrap and far behind the window', () => {
    const numbers = Array.from({ length: 70_000 }, (_, n) => 65_000 + n);
    const shuffled = numbers.flatMap((n, i) => (i % 100 === 50 ? [] : i % 100 === 52 ? [n, n - 2] : [n]));
    const { duplicates, reordered, missing, skips } = taking(shuffled);
    assert.deepEqual([duplicates, reordered, missing, skips], [0, 700, 0, 700]);
  });
});

const packet = (ssrc: number, sequence: number, payloadType: number, timestamp: number): Buffer => {
  const bytes = Buffer.alloc(172);
  bytes.set([0x80, payloadType]);
  bytes.writeUInt16BE(sequence & 0xffff, 2);
  bytes.writeUInt32BE(timestamp >>> 0, 4);
  bytes.writeUInt32BE(ssrc, 8);

  return bytes;
};

describe('stretches', () => {
  test('a change of packet time begins a stretch; a pause, a loss and tones don’t', () => {
    const statistics = new StreamStatistics(new Map([[101, 0]]));
    let sequence = 65_530;
    let timestamp = 0xffffff00;
    let nowNs = 0;
    const send = (count: number, ticks: number, payloadType = 0): void => {
      for (let n = 0; n < count; n++) {
        statistics.takeRtp(packet(7, sequence++, payloadType, timestamp), 0, 172, nowNs);
        timestamp += ticks;
        nowNs += ticks * 125e3;
      }
    };
    send(20, 160);
    timestamp += 16_000;
    send(20, 160);
    sequence += 3;
    timestamp += 480;
    send(20, 160);
    send(5, 0, 101);
    send(20, 160);
    send(20, 240);
    assert.deepEqual(
      statistics.stretches.map(({ payloadType, packets, ptimeMs }) => [payloadType, packets, ptimeMs]),
      [
        [0, 60, 20],
        [101, 5, undefined],
        [0, 22, 20],
        [0, 18, 30],
      ],
    );
    assert.equal(
      statistics.stretches.reduce((sum, { packets }) => sum + packets, 0),
      statistics.packets,
    );
  });

  test('video has no packet time', () => {
    const statistics = new StreamStatistics(new Map([[97, 90_000]]), 'video');
    for (let n = 0; n < 100; n++) statistics.takeRtp(packet(7, n, 97, 3_000 * n), 0, 172, n * 33e6);
    assert.deepEqual(
      statistics.stretches.map(({ ptimeMs }) => ptimeMs),
      [undefined],
    );
  });

  test('a peer that changes everything with every packet is counted, within bounds', () => {
    const statistics = new StreamStatistics();
    for (let n = 0; n < 5_000; n++)
      statistics.takeRtp(packet(n, n, n & 1 ? 0 : 8, n * 160), 0, 172, n * 20e6);
    assert.equal(statistics.stretches.length, 256);
    assert.equal(statistics.packets, 5_000);
    assert.equal(statistics.sources.length, 64);
    assert.equal(
      statistics.stretches.reduce((sum, { packets }) => sum + packets, 0),
      5_000,
    );
  });
});

describe('a mean opinion score', () => {
  const heard = { expected: 10_000, missing: 0, losses: 0, jitterMs: 0, packetMs: 20 };
  const mos = (codec: string, changes: Partial<typeof heard> = {}): number =>
    estimateMos(impairmentOf(codec) ?? assert.fail(codec), { ...heard, ...changes });

  test('of an unharmed stream is what the codec allows', () => {
    assert.equal(mos('PCMU'), 4.4);
    assert.equal(mos('G729'), 4.09);
    assert.equal(impairmentOf('opus'), undefined);
  });

  test('falls with loss, more so where losses come together, and with jitter', () => {
    const single = mos('PCMA', { missing: 500, losses: 500 });
    const together = mos('PCMA', { missing: 500, losses: 50 });
    assert.ok(single < 4.1 && single > 3.7, String(single));
    assert.ok(together < single);
    assert.ok(mos('PCMA', { jitterMs: 150 }) < mos('PCMA', { jitterMs: 10 }));
    assert.ok(mos('G729', { missing: 500, losses: 500 }) < single);
  });

  test('stays on its scale whatever came', () => {
    assert.equal(mos('PCMU', { missing: 10_000, losses: 1, jitterMs: 5_000 }), 1);
    assert.equal(mos('PCMU', { expected: 0 }), 4.4);
  });
});
