import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PortPool } from './port-pool.ts';
import { SegmentLedger } from './segment-ledger.ts';

test('pairs lie whole inside the range, and the port given back longest ago goes first', () => {
  const pool = new PortPool(10_001, 10_008);
  assert.equal(pool.free, 3);
  assert.deepEqual([pool.take(), pool.take()], [10_002, 10_004]);
  pool.give(10_002);
  assert.deepEqual([pool.take(), pool.take(), pool.take()], [10_006, 10_002, undefined]);
});

test('a port can be taken by number, once', () => {
  const pool = new PortPool(10_000, 10_010);
  assert.deepEqual(
    [pool.takeExactly(10_004), pool.takeExactly(10_004), pool.takeExactly(9_000)],
    [true, false, false],
  );
});

test('a range is split into parts of whole pairs, each port in one of them', () => {
  const pools = PortPool.split(10_001, 10_020, 4);
  assert.deepEqual(
    pools.map(({ free }) => free),
    [2, 2, 2, 3],
  );
  for (let port = 10_002; port < 10_020; port++) {
    assert.equal(pools.filter((pool) => pool.owns(port)).length, 1);
  }
  assert.ok(!pools.some((pool) => pool.owns(10_001) || pool.owns(10_020)));
  const few = PortPool.split(10_000, 10_003, 4);
  assert.deepEqual(
    few.map((pool) => pool.take()),
    [undefined, 10_000, undefined, 10_002],
  );
});

test('a segment goes when the last session in it ends, or at once where it is needed by none', () => {
  const removed: string[] = [];
  const ledger = new SegmentLedger((path) => removed.push(path));
  for (const id of ['a', 'b', 'c']) ledger.begin(id);
  ledger.end('c');
  ledger.closed('one', ['a', 'b', 'c']);
  ledger.closed('two', ['c']);
  assert.deepEqual(removed, ['two']);
  ledger.end('a');
  assert.deepEqual(removed, ['two']);
  ledger.end('b');
  assert.deepEqual(removed, ['two', 'one']);
});
