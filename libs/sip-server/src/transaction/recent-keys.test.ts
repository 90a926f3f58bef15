import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RecentKeys } from './recent-keys.ts';

test('a key is known for its time, and forgotten by twice that', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const keys = new RecentKeys(5_000);
  keys.add('a');
  t.mock.timers.tick(4_999);
  keys.add('b');
  t.mock.timers.tick(4_999);
  assert.deepEqual([keys.has('a'), keys.has('b')], [true, true]);
  t.mock.timers.tick(5_002);
  assert.deepEqual([keys.has('a'), keys.has('b')], [false, false]);
});

test('it begins anew after it was empty, and after it was cleared', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const keys = new RecentKeys(5_000);
  keys.add('a');
  for (let turns = 0; turns < 4; turns += 1) t.mock.timers.tick(5_000);
  keys.add('b');
  assert.deepEqual([keys.has('a'), keys.has('b')], [false, true]);
  keys.clear();
  keys.add('c');
  t.mock.timers.tick(5_000);
  assert.deepEqual([keys.has('b'), keys.has('c')], [false, true]);
});
