import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Layout, secondsAt } from './layout.ts';
import { SenderClocks } from './sender-clocks.ts';
import type { ArrivedPacket, ClockedPacket } from './sender-clocks.ts';

type Sent = {
  readonly n: number;
  readonly arrivalMs: number;
  readonly ssrc?: number;
  readonly timestamp?: number;
  readonly clockRate?: number;
  readonly timed?: boolean;
};

const packet = ({ n, arrivalMs, ssrc = 1, timestamp = n * 160, ...more }: Sent): ArrivedPacket<number> => ({
  arrivalS: arrivalMs / 1_000,
  ssrc,
  timestamp: timestamp >>> 0,
  clockRate: 8_000,
  timed: true,
  payload: n,
  ...more,
});

/** Places of packets in samples at 8 kHz, as both readings of a track find them. */
const lay = (packets: readonly Sent[]) => {
  const clocks = new SenderClocks<number>();
  const clocked: ClockedPacket<number>[] = packets.flatMap((sent) => clocks.push(packet(sent)));
  clocked.push(...clocks.finish());
  const layout = new Layout();
  for (const each of clocked) layout.add(each);
  const segments = layout.clocks();

  return {
    placed: clocked.map(({ segment, ticks, packet: { payload } }) => {
      const position = Math.round(secondsAt(segments[segment]!, ticks) * 8_000);

      return [payload, position] as const;
    }),
    segments,
    strays: clocks.strays,
  };
};

/** Packets n = from … to − 1, one each 20 ms from `startMs` on. */
const steady = (from: number, to: number, startMs: number, more: Partial<Sent> = {}): Sent[] =>
  Array.from({ length: to - from }, (_, i) => ({ n: from + i, arrivalMs: startMs + i * 20, ...more }));

/** Repeatable chance, from 0 to 1. */
const dice = (seed: number): (() => number) => {
  let state = seed;

  return () => (state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0) / 2 ** 32;
};

test('the first packet stands where it arrived, each next one where its timestamp says', () => {
  const { placed } = lay(steady(0, 3, 100));

  assert.deepEqual(placed, [
    [0, 800],
    [1, 960],
    [2, 1_120],
  ]);
});

test('jitter moves nothing', () => {
  const sent = steady(0, 200, 1_000).map((one) => ({
    ...one,
    arrivalMs: one.arrivalMs + ((one.n * 7) % 50),
  }));
  const { placed } = lay(sent);

  assert.deepEqual(
    placed.map(([n, position]) => position - n * 160),
    placed.map(() => placed[0]?.[1]),
  );
});

test('a first packet that came late does not make its track late', () => {
  const [first, ...rest] = steady(0, 100, 1_000);
  const { placed } = lay([{ n: 0, arrivalMs: (first?.arrivalMs ?? 0) + 19 }, ...rest]);

  assert.deepEqual(placed[0], [0, 8_000]);
});

test('a lost packet leaves a gap of its length', () => {
  const { placed } = lay(steady(0, 5, 0).filter(({ n }) => n !== 2));

  assert.deepEqual(placed, [
    [0, 0],
    [1, 160],
    [3, 480],
    [4, 640],
  ]);
});

test('packets in the wrong order are put in their places', () => {
  const order = [0, 2, 1, 3, 5, 4];
  const { placed } = lay(order.map((n, i) => ({ n, arrivalMs: i * 20 })));

  assert.deepEqual(
    placed.map(([n, position]) => [n, position - n * 160]),
    order.map((n) => [n, placed[0]?.[1]]),
  );
});

test('timestamps wrap without a seam', () => {
  const sent = steady(0, 10, 0).map((one) => ({ ...one, timestamp: 0xffff_ff00 + one.n * 160 }));

  assert.deepEqual(
    lay(sent).placed.map(([n, position]) => position - n * 160),
    Array.from({ length: 10 }, () => 0),
  );
});

test('ten seconds without a packet are a pause of the right length', () => {
  const { placed } = lay([...steady(0, 50, 0), ...steady(550, 600, 11_000)]);

  assert.deepEqual(placed.at(50), [550, 88_000]);
});

test('a new SSRC is placed by its arrival, however its timestamps begin', () => {
  const { placed } = lay([
    ...steady(0, 50, 0),
    ...steady(0, 50, 2_000).map((one) => ({ ...one, ssrc: 2, timestamp: 3_000_000_000 + one.n * 160 })),
  ]);

  assert.deepEqual(placed.at(50), [0, 16_000]);
  assert.deepEqual(placed.at(99), [49, 16_000 + 49 * 160]);
});

test('a new SSRC that seems to begin before the old one ended begins at its end', () => {
  const { placed } = lay([...steady(0, 50, 0), ...steady(0, 10, 990, { ssrc: 2 })]);

  assert.deepEqual(placed.at(50), [0, 8_000]);
});

test('another clock rate is another clock', () => {
  const opus = steady(0, 50, 1_000).map((one) => ({ ...one, clockRate: 48_000, timestamp: one.n * 960 }));
  const { placed, segments } = lay([...steady(0, 50, 0), ...opus]);

  assert.deepEqual(
    segments.map(({ clockRate }) => clockRate),
    [8_000, 48_000],
  );
  assert.deepEqual(placed.at(99), [49, 8_000 + 49 * 160]);
});

test('timestamps that start anew without a new SSRC are placed by arrival', () => {
  const { placed, strays } = lay([
    ...steady(0, 100, 0),
    ...steady(0, 100, 10_000).map((one) => ({ ...one, timestamp: 77 + one.n * 160 })),
  ]);

  assert.deepEqual(placed.at(100), [0, 80_000]);
  assert.deepEqual(placed.at(199), [99, 80_000 + 99 * 160]);
  assert.equal(strays, 0);
});

test('what the network held back and let go at once is still where it was sent', () => {
  const sent = steady(0, 400, 0).map((one) =>
    one.arrivalMs >= 2_000 && one.arrivalMs < 4_000 ? { ...one, arrivalMs: 4_000 } : one,
  );
  const { placed } = lay(sent);

  assert.ok(placed.every(([n, position]) => position === n * 160));
});

test('a drift of 300 ppm over an hour is measured and taken out, to a sample, jitter or not', () => {
  for (const jitterMs of [0, 8]) {
    for (const drift of [0.000_3, -0.000_3]) {
      const chance = dice(7);
      const sent = Array.from({ length: 180_000 }, (_, n) => ({
        n,
        arrivalMs: 100 + n * 20 * (1 + drift) + chance() ** 2 * jitterMs,
      }));
      const { placed, segments } = lay(sent);
      const worst = placed.reduce(
        (most, [n, position]) => Math.max(most, Math.abs(position - (800 + n * 160 * (1 + drift)))),
        0,
      );

      assert.equal(segments.length, 1);
      assert.ok(Math.abs(segments[0]!.drift - drift) < 1e-8, `${segments[0]!.drift}`);
      assert.ok(worst <= 1, `${worst} samples off`);
    }
  }
});

test('without drift that is certain nothing is corrected: samples stay whole', () => {
  const chance = dice(3);
  const crystal = 0.000_000_5;
  const sent = Array.from({ length: 180_000 }, (_, n) => ({
    n,
    arrivalMs: n * 20 * (1 + crystal) + chance() * 30,
  }));
  const { segments, placed } = lay(sent);

  assert.equal(segments[0]?.drift, 0);
  assert.equal(new Set(placed.map(([n, position]) => position - n * 160)).size, 1);
});

test('a sender faster than real time loses nothing, and is not taken for a clock that drifts', () => {
  const sent = Array.from({ length: 20_000 }, (_, n) => ({ n, arrivalMs: n }));
  const { placed } = lay(sent);

  assert.equal(new Set(placed.map(([n, position]) => position - n * 160)).size, 1);
});

test('a single packet with a wild timestamp is left out and moves no other', () => {
  const sent = steady(0, 200, 0).map((one) => (one.n === 100 ? { ...one, timestamp: 2_000_000_000 } : one));
  const { placed, strays } = lay(sent);

  assert.equal(strays, 1);
  assert.ok(placed.every(([n, position]) => position === n * 160));
});

test('a tone stands on the timestamp of its start, and its repeats move no clock', () => {
  const tone = Array.from({ length: 100 }, (_, n) => ({
    n: -1,
    arrivalMs: 1_000 + n * 20,
    timestamp: 8_000,
    timed: false,
  }));
  const { placed, segments } = lay([...steady(0, 50, 0), ...tone, ...steady(150, 200, 3_000)]);

  assert.equal(segments.length, 1);
  assert.ok(placed.every(([n, position]) => position === (n < 0 ? 8_000 : n * 160)));
});

test('a flood of sources is bounded and harms none of the real ones', () => {
  const flood = Array.from({ length: 10_000 }, (_, n) => ({ n, arrivalMs: 4_000, ssrc: 1_000 + n }));
  const { placed, strays } = lay([...steady(0, 200, 0), ...flood]);

  assert.ok(strays >= 10_000 - 256);
  assert.deepEqual(
    placed.slice(0, 200).filter(([n, position]) => position !== n * 160),
    [],
  );
});

test('whatever comes, every place is a number and nothing is thrown', () => {
  const chance = dice(1);
  const random = (below: number): number => Math.floor(chance() * below);
  let arrivalMs = 0;
  const sent = Array.from({ length: 5_000 }, (_, n) => {
    arrivalMs += random(10) === 0 ? random(5_000) : random(30);
    const clockRate = random(5) === 0 ? 48_000 : 8_000;

    return {
      n,
      arrivalMs,
      ssrc: random(4),
      timestamp: random(3) === 0 ? random(2 ** 32) : n * 160,
      clockRate,
      timed: random(5) > 0,
    };
  });
  const { placed, strays } = lay(sent);

  assert.equal(placed.length + strays, sent.length);
  assert.ok(placed.every(([, position]) => Number.isSafeInteger(position)));
});
