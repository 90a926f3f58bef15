import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Timeline } from './timeline.ts';

const startMs = Date.parse('2025-11-25T10:00:00.000Z');
const clock = (bootId: string, monotonicMs: number, wallMs: number) => ({
  bootId,
  monotonicNs: BigInt(monotonicMs) * 1_000_000n,
  wallNs: BigInt(wallMs) * 1_000_000n,
  epoch: 1n,
});

test('offsets count from the start of the session, which the first clock places', () => {
  const timeline = new Timeline(startMs, clock('a', 70_000, startMs + 2_000), 70_100e6);
  assert.equal(timeline.offsetNs(70_100e6, clock('a', 70_000, startMs + 2_000)), 2_100e6);
});

test('a wall clock that is set during the call moves nothing', () => {
  const first = clock('a', 70_000, startMs);
  const timeline = new Timeline(startMs, first, 70_000e6);
  const later = clock('a', 80_000, startMs + 15_000);
  assert.equal(timeline.offsetNs(80_000e6, later), 10_000e6);
  assert.deepEqual(timeline.anchor(later), { offsetNs: 10_000e6, wallNs: later.wallNs.toString() });
});

test('after a boot the wall clock says how long it took', () => {
  const timeline = new Timeline(startMs, clock('a', 70_000, startMs), 70_000e6);
  const rebooted = clock('b', 5_000, startMs + 60_000);
  assert.equal(timeline.offsetNs(5_500e6, rebooted), 60_500e6);
  assert.equal(timeline.offsetNs(6_000e6, clock('b', 6_000, startMs + 99_000)), 61_000e6);
});

test('nothing arrives before the start, whatever the wall clock says', () => {
  const first = clock('a', 70_000, startMs - 3_000);
  const timeline = new Timeline(startMs, first, 70_010e6);
  assert.equal(timeline.offsetNs(70_010e6, first), 0);
  assert.equal(timeline.offsetNs(70_030e6, first), 20e6);
});
