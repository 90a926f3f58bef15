import assert from 'node:assert/strict';
import { test } from 'node:test';
import { generationAt, readBegun, rewoundPlace } from './generations.ts';

const begun = readBegun(['2:50', '3:30', 'none']);

test('a place belongs to the last generation that began before it', () => {
  assert.deepEqual(
    [20, 30, 31, 55].map((sequence) => generationAt(begun, sequence)),
    [1, 1, 3, 3],
  );
  assert.equal(generationAt([], 7), 1);
});

test('what was written at a lost place counts as written where the next generation began, each time', () => {
  const placed = [20, 40, 60].map((sequence) => rewoundPlace(begun, { generation: 1, sequence }));

  assert.deepEqual(placed, [
    { generation: 1, sequence: 20 },
    { generation: 3, sequence: 30 },
    { generation: 3, sequence: 30 },
  ]);
  assert.deepEqual(rewoundPlace(begun, { generation: 3, sequence: 60 }), { generation: 3, sequence: 60 });
});
