import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nextPause } from './supervised.ts';

test('after ten good seconds there is no pause, then one that doubles from 0.2 to 5 seconds', () => {
  const pauses: number[] = [];
  for (let pause = 0; pauses.length < 7; pauses.push(pause)) pause = nextPause(pause, 50);
  assert.deepEqual(pauses, [200, 400, 800, 1_600, 3_200, 5_000, 5_000]);
  assert.equal(nextPause(5_000, 10_000), 0);
  assert.equal(nextPause(0, 50), 200);
});
