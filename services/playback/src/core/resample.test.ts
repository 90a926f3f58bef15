import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Resampler } from './resample.ts';
import type { SampleMap } from './resample.ts';

const tone = (hz: number, rate: number, count: number): Int16Array =>
  Int16Array.from({ length: count }, (_, i) => Math.round(16_000 * Math.sin((2 * Math.PI * hz * i) / rate)));

/** Resamples in pieces of uneven length. */
const through = (map: SampleMap, input: Int16Array) => {
  const resampler = new Resampler(map);
  const pieces: { position: number; samples: Int16Array }[] = [];
  for (let at = 0, n = 1; at < input.length; at += n, n = 1 + ((n * 7) % 400))
    pieces.push(resampler.push(input.subarray(at, at + n)));
  pieces.push(resampler.finish());
  const filled = pieces.filter(({ samples }) => samples.length > 0);
  for (const [i, piece] of filled.entries()) {
    const before = filled[i - 1];
    if (before) assert.equal(piece.position, before.position + before.samples.length);
  }
  const samples = filled.flatMap((piece) => [...piece.samples]);

  return { position: filled[0]?.position ?? 0, samples };
};

/** Noise and distortion below the tone that should be there, in dB, away from the ends. */
const noiseDb = (samples: readonly number[], wanted: (i: number) => number): number => {
  let noise = 0;
  let signal = 0;
  for (let i = 200; i < samples.length - 200; i++) {
    noise += (samples[i]! - wanted(i)) ** 2;
    signal += wanted(i) ** 2;
  }

  return 10 * Math.log10(noise / signal);
};

for (const [what, step, hz] of [
  ['drift of +300 ppm', 1.000_3, 1_000],
  ['drift of −300 ppm', 0.999_7, 3_400],
  ['8 kHz to 16 kHz', 2, 3_000],
  ['8 kHz to 48 kHz', 6, 3_000],
  ['8 kHz to 44.1 kHz', 44.1 / 8, 1_000],
] as const) {
  test(`${what}: a tone stays the tone it was, 60 dB above anything else`, () => {
    const { position, samples } = through({ origin: 1_000.25, step }, tone(hz, 8_000, 8_000));
    const inputAt = (i: number): number => (position + i - 1_000.25) / step;

    assert.equal(position, 1_001);
    assert.equal(samples.length, Math.ceil(1_000.25 + 8_000 * step) - 1_001);
    const db = noiseDb(samples, (i) => 16_000 * Math.sin((2 * Math.PI * hz * inputAt(i)) / 8_000));
    assert.ok(db < -60, `${db} dB`);
  });
}

test('what does not fit into a lower rate is left out', () => {
  const { samples } = through({ origin: 0, step: 0.5 }, tone(6_000, 16_000, 16_000));

  assert.ok(Math.max(...samples.slice(200, -200).map(Math.abs)) < 16, 'the tone comes back as another one');
});
