import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Timeline } from './timeline.ts';
import type { ArrivedPacket } from './timeline.ts';

type Sent = {
  readonly n: number;
  readonly arrivalMs: number;
  readonly ssrc?: number;
  readonly timestamp?: number;
};

const packet = ({ n, arrivalMs, ssrc = 1, timestamp = n * 160 }: Sent): ArrivedPacket<number> => ({
  arrivalMs,
  ssrc,
  timestamp: timestamp >>> 0,
  samples: 160,
  payload: n,
});

const lay = (packets: readonly Sent[]) => {
  const timeline = new Timeline<number>(8_000);
  const placed = packets.flatMap((sent) => timeline.push(packet(sent)));
  placed.push(...timeline.finish());

  return {
    placed: placed.map(({ position, payload }) => [payload, position] as const),
    strays: timeline.strays,
  };
};

/** Packets n = from … to − 1, one each 20 ms from `startMs` on. */
const steady = (from: number, to: number, startMs: number, more: Partial<Sent> = {}): Sent[] =>
  Array.from({ length: to - from }, (_, i) => ({ n: from + i, arrivalMs: startMs + i * 20, ...more }));

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

test('a repeated packet has the place of the first', () => {
  const { placed } = lay([...steady(0, 3, 0), { n: 1, arrivalMs: 45 }]);

  assert.deepEqual(placed.at(-1), [1, 160]);
});

test('timestamps wrap without a seam', () => {
  const sent = steady(0, 10, 0).map((one) => ({ ...one, timestamp: 0xffff_ff00 + one.n * 160 }));

  assert.deepEqual(
    lay(sent).placed.map(([n, position]) => position - n * 160),
    Array.from({ length: 10 }, () => 0),
  );
});

test('silence suppression is a pause of the right length', () => {
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

test('a clock that drifts is followed without a seam', () => {
  const sent = Array.from({ length: 100_000 }, (_, n) => ({ n, arrivalMs: Math.round(n * 20 * 1.000_3) }));
  const { placed } = lay(sent);

  assert.ok(placed.every(([n, position]) => position === n * 160));
});

test('a sender faster than real time loses nothing', () => {
  const sent = Array.from({ length: 2_000 }, (_, n) => ({ n, arrivalMs: n }));
  const { placed } = lay(sent);

  assert.equal(new Set(placed.map(([n, position]) => position - n * 160)).size, 1);
});

test('a single packet with a wild timestamp is left out and moves no other', () => {
  const sent = steady(0, 200, 0).map((one) => (one.n === 100 ? { ...one, timestamp: 2_000_000_000 } : one));
  const { placed, strays } = lay(sent);

  assert.equal(strays, 1);
  assert.ok(placed.every(([n, position]) => position === n * 160));
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

test('whatever comes, every place is a whole number and nothing is thrown', () => {
  let seed = 1;
  const random = (below: number): number => {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;

    return Math.floor((seed / 2 ** 32) * below);
  };
  let arrivalMs = 0;
  const sent = Array.from({ length: 5_000 }, (_, n) => {
    arrivalMs += random(10) === 0 ? random(5_000) : random(30);

    return { n, arrivalMs, ssrc: random(4), timestamp: random(3) === 0 ? random(2 ** 32) : n * 160 };
  });
  const { placed, strays } = lay(sent);

  assert.equal(placed.length + strays, sent.length);
  assert.ok(placed.every(([, position]) => Number.isSafeInteger(position)));
});
