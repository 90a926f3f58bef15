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

test('the last session of a call is remembered for an hour after it ended', () => {
  const pairs = new Pairs();
  assert.equal(pairs.lastOf('a', 0), undefined);
  pairs.remember('a', 'session-1', 0);
  pairs.remember('a', 'session-2', 1_000);
  pairs.remember('b', 'session-3', 1_000);
  assert.deepEqual(
    [pairs.lastOf('a', 3_600_999), pairs.lastOf('a', 3_601_000), pairs.lastOf('b', 2_000)],
    ['session-2', undefined, 'session-3'],
  );
});

test('of very many calls those that came last are remembered', () => {
  const pairs = new Pairs();
  for (let call = 0; call < 20_001; call += 1) pairs.remember(`call-${call}`, `session-${call}`, call);
  assert.deepEqual(
    [pairs.lastOf('call-0', 20_001), pairs.lastOf('call-1', 20_001)],
    [undefined, 'session-1'],
  );
});
