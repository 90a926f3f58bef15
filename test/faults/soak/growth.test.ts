import assert from 'node:assert/strict';
import { test } from 'node:test';
import { slopeOf } from './growth.ts';

test('what grows by a megabyte a minute does so amid noise, and what only swings does not grow', () => {
  const at = (bytesAt: (place: number) => number) =>
    Array.from({ length: 60 }, (_, place) => ({ minutes: place / 6, bytes: bytesAt(place) }));
  const swing = (place: number): number => 1e6 * Math.sin(place * 2.3);
  const grows = slopeOf(at((place) => 80e6 + (place * 1e6) / 6 + swing(place)));
  assert.ok(Math.abs(grows - 1e6) < 1e5, String(grows));
  const swings = slopeOf(at((place) => 80e6 + swing(place)));
  assert.ok(Math.abs(swings) < 1e5, String(swings));
});
