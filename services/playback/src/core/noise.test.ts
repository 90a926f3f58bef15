import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readComfortNoise } from '@reelstream/rtp/payload';
import type { ComfortNoise } from '@reelstream/rtp/payload';
import { NoiseSource } from './noise.ts';

const second = 8_000;

const noiseOf = (said: ComfortNoise | undefined, count = 4 * second): Int16Array => {
  assert.ok(said);
  const source = new NoiseSource();
  source.become(said);

  return source.take(count);
};

/** Sum of products of samples `lag` apart, over the power. */
const autocorrelation = (samples: Int16Array, lag: number): number => {
  let sum = 0;
  let power = 0;
  for (let i = lag; i < samples.length; i++) sum += samples[i]! * samples[i - lag]!;
  for (const sample of samples) power += sample * sample;

  return sum / power;
};

/** In dB over a square wave at full scale. */
const levelOf = (samples: Int16Array): number => {
  let power = 0;
  for (const sample of samples) power += sample * sample;

  return 10 * Math.log10(power / samples.length / 32_768 ** 2);
};

for (const [what, bytes] of [
  ['a level alone', [40]],
  ['a loud one', [12]],
  ['a hiss', [50, 200]],
  ['a rumble of a car, as an encoder describes it', [45, 40, 180, 110, 140, 120, 131, 127, 125, 130, 128]],
] as const)
  test(`${what}: the noise has the level that was said, in a quarter of a second and later`, () => {
    const samples = noiseOf(readComfortNoise(Uint8Array.from(bytes)));
    for (const from of [0, second, 3 * second])
      assert.ok(Math.abs(levelOf(samples.subarray(from, from + second / 4)) + bytes[0]) < 1);
  });

test('reflection coefficients shape it: neighbours agree as the first one says', () => {
  const [first] = readComfortNoise(Uint8Array.of(30, 40))!.reflection;

  assert.ok(Math.abs(autocorrelation(noiseOf(readComfortNoise(Uint8Array.of(30, 40))), 1) + first!) < 0.02);
  assert.ok(Math.abs(autocorrelation(noiseOf(readComfortNoise(Uint8Array.of(30))), 1)) < 0.02);
});

test('the same words give the same samples; a new level takes over where the old one was', () => {
  const quiet = { levelDbov: -60, reflection: [0.5] };
  assert.deepEqual(noiseOf(quiet), noiseOf(quiet));
  const source = new NoiseSource();
  source.become({ ...quiet, levelDbov: -30 });
  const loud = source.take(second);
  source.become(quiet);
  const later = source.take(second);

  assert.ok(Math.abs(levelOf(loud) + 30) < 0.5);
  assert.ok(Math.abs(levelOf(later.subarray(100)) + 60) < 0.5);
});

test('the wildest coefficients make a stable filter', () => {
  const wild = readComfortNoise(Uint8Array.from([20, ...Array.from({ length: 20 }, () => 254)]));
  const samples = noiseOf(wild, 60 * second);

  assert.equal(wild?.reflection.length, 12);
  assert.ok(samples.every((sample) => Math.abs(sample) < 32_767));
});
