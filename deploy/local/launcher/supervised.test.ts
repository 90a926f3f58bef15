import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nextPause } from './supervised.ts';

test('the pause doubles from 0.2 to 5 seconds and begins anew after ten good seconds', () => {
  const pauses: number[] = [];
  for (let pause = 0; pauses.length < 7; pauses.push(pause)) pause = nextPause(pause, 50);
  assert.deepEqual(pauses, [200, 400, 800, 1_600, 3_200, 5_000, 5_000]);
  assert.equal(nextPause(5_000, 10_000), 200);
});
