import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TransientMap } from './transient-map.ts';

const filled = (): TransientMap<number> => {
  const map = new TransientMap<number>();
  for (const [key, value] of Object.entries({ a: 1, b: 2, c: 3 })) map.set(key, value);

  return map;
};

test('entries are found by their key, oldest first, until they are deleted', () => {
  const map = filled();
  map.delete('a');
  map.delete('unheard-of');
  map.set('b', 20);
  map.set('a', 10);
  assert.deepEqual(
    [...map.entries()],
    [
      ['b', 20],
      ['c', 3],
      ['a', 10],
    ],
  );
  assert.deepEqual([map.get('a'), map.get('b'), map.get('z')], [10, 20, undefined]);
  assert.deepEqual([map.has('c'), map.has('z'), map.size], [true, false, 3]);
});

test('what is deleted while the map is gone through is not met', () => {
  const map = filled();
  const met: number[] = [];
  for (const value of map.values()) {
    met.push(value);
    map.delete('b');
  }
  assert.deepEqual(met, [1, 3]);
  map.clear();
  assert.deepEqual([...map.entries(), map.size], [0]);
});

test('of more than so many the oldest go', () => {
  const map = filled();
  map.keepNewest(3);
  assert.equal(map.size, 3);
  map.keepNewest(1);
  assert.deepEqual([...map.entries()], [['c', 3]]);
});
