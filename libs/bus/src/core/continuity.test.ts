import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findLoss } from './continuity.ts';

const anchor = { sequence: 10, id: 'ten' };

test('a stream that holds what was read and goes on from there has lost nothing', () => {
  assert.equal(
    findLoss({ after: 10, anchor }, { firstSequence: 1, lastSequence: 10, anchorId: 'ten' }),
    undefined,
  );
  assert.equal(
    findLoss({ after: 12, anchor }, { firstSequence: 4, lastSequence: 90, anchorId: 'ten' }),
    undefined,
  );
  assert.equal(
    findLoss({ after: 0, anchor: undefined }, { firstSequence: 0, lastSequence: 0, anchorId: undefined }),
    undefined,
  );
});

test('a stream that aged away exactly what was read has lost nothing', () => {
  assert.equal(
    findLoss({ after: 10, anchor }, { firstSequence: 11, lastSequence: 20, anchorId: undefined }),
    undefined,
  );
  assert.equal(
    findLoss({ after: 10, anchor }, { firstSequence: 11, lastSequence: 10, anchorId: undefined }),
    undefined,
  );
});

test('a stream that ends before what was read has lost its tail', () => {
  assert.equal(
    findLoss({ after: 12, anchor }, { firstSequence: 1, lastSequence: 11, anchorId: 'ten' }),
    'tail-lost',
  );
});

test('a stream with another event, or none, where one was read is another stream', () => {
  assert.equal(
    findLoss({ after: 10, anchor }, { firstSequence: 1, lastSequence: 99, anchorId: 'other' }),
    'id-mismatch',
  );
  assert.equal(
    findLoss({ after: 10, anchor }, { firstSequence: 1, lastSequence: 99, anchorId: undefined }),
    'id-mismatch',
  );
});

test('a stream that begins past what must follow has a gap', () => {
  assert.equal(
    findLoss({ after: 10, anchor }, { firstSequence: 12, lastSequence: 99, anchorId: undefined }),
    'gap',
  );
  assert.equal(
    findLoss({ after: 0, anchor: undefined }, { firstSequence: 2, lastSequence: 9, anchorId: undefined }),
    'gap',
  );
});
