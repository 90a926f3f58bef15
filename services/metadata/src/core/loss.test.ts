import assert from 'node:assert/strict';
import { test } from 'node:test';
import { lostFrom } from './generations.ts';
import { findLoss } from './loss.ts';

const read = { sequence: 100, anchor: { sequence: 99, id: 'a' } };

test('a stream that holds what was read, and all that follows, has lost nothing', () => {
  assert.equal(findLoss(read, { firstSequence: 1, lastSequence: 100 }, 'a'), undefined);
  assert.equal(findLoss(read, { firstSequence: 101, lastSequence: 120 }, undefined), undefined);
  assert.equal(
    findLoss({ sequence: 0, anchor: undefined }, { firstSequence: 0, lastSequence: 0 }, undefined),
    undefined,
  );
});

test('a shorter stream, another event, and a beginning past the position are losses', () => {
  assert.equal(findLoss(read, { firstSequence: 1, lastSequence: 99 }, 'a'), 'tail-lost');
  assert.equal(findLoss(read, { firstSequence: 1, lastSequence: 200 }, 'b'), 'id-mismatch');
  assert.equal(findLoss(read, { firstSequence: 1, lastSequence: 200 }, undefined), 'id-mismatch');
  assert.equal(findLoss(read, { firstSequence: 102, lastSequence: 200 }, undefined), 'gap');
});

test('of each generation the events past the lowest later base are lost', () => {
  assert.deepEqual(lostFrom(1, []), []);
  assert.deepEqual(lostFrom(3, ['2:100', '3:60']), [
    { generation: 1, after: 60 },
    { generation: 2, after: 60 },
  ]);
  assert.deepEqual(lostFrom(3, ['2:50', '3:160']), [
    { generation: 1, after: 50 },
    { generation: 2, after: 160 },
  ]);
});
