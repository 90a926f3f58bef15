import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Pairs } from './pairs.ts';

test('legs of one call take their turns, those of others do not wait', async () => {
  const pairs = new Pairs();
  const told: string[] = [];
  const first = Promise.withResolvers<void>();
  const legs = [
    pairs.inTurn('a', async () => {
      await first.promise;
      told.push('a near');
    }),
    pairs.inTurn('a', async () => void told.push('a far')),
    pairs.inTurn('b', async () => void told.push('b')),
  ];
  await legs[2];
  assert.deepEqual(told, ['b']);
  first.resolve();
  await Promise.all(legs);
  assert.deepEqual(told, ['b', 'a near', 'a far']);
});

test('a leg that fails takes nothing from the next', async () => {
  const pairs = new Pairs();
  const failed = pairs.inTurn('a', () => Promise.reject(new Error('no sockets')));
  const next = pairs.inTurn('a', () => Promise.resolve());
  await assert.rejects(failed, /no sockets/);
  await next;
});

test('who is refused one leg is refused the other, for a second', () => {
  const pairs = new Pairs();
  pairs.refuse('a', 0);
  assert.deepEqual(
    [pairs.isRefused('a', 999), pairs.isRefused('a', 1_000), pairs.isRefused('b', 0)],
    [true, false, false],
  );
});
