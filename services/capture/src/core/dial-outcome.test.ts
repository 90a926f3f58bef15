import assert from 'node:assert/strict';
import { test } from 'node:test';
import { failureOf } from './dial-outcome.ts';

test('a final response says in one word why a call was not answered', () => {
  const told = [302, 401, 403, 404, 408, 410, 480, 484, 486, 487, 488, 500, 503, 600, 603, 604, 407].map(
    failureOf,
  );
  assert.deepEqual(told, [
    'redirected',
    'unauthorized',
    'refused',
    'not-found',
    'no-answer',
    'not-found',
    'no-answer',
    'not-found',
    'busy',
    'no-answer',
    'refused',
    'unavailable',
    'unavailable',
    'busy',
    'refused',
    'not-found',
    'unauthorized',
  ]);
});
