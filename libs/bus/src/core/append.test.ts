import assert from 'node:assert/strict';
import { test } from 'node:test';
import { judgeConflict } from './append.ts';

const own = { id: 'own', epoch: 3, version: 7 };

test('a subject without a message means a stale hint', () => {
  assert.equal(judgeConflict(own, undefined), 'retry');
});

test('our own id, or a later version of our life, means that the event is stored', () => {
  assert.equal(judgeConflict(own, own), 'already-stored');
  assert.equal(judgeConflict(own, { id: 'later', epoch: 3, version: 9 }), 'already-stored');
});

test('an older version or an older life means a stale hint', () => {
  assert.equal(judgeConflict(own, { id: 'older', epoch: 3, version: 6 }), 'retry');
  assert.equal(judgeConflict(own, { id: 'older life', epoch: 2, version: 12 }), 'retry');
});

test('a higher epoch fences, whatever its version', () => {
  assert.equal(judgeConflict(own, { id: 'next life', epoch: 4, version: 1 }), 'fenced');
  assert.equal(judgeConflict(own, { id: 'next life', epoch: 4, version: 9 }), 'fenced');
});
