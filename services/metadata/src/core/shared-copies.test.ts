import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compareShared } from './shared-copies.ts';
import type { SharedCopies } from './shared-copies.ts';

const whole = (digest: string): SharedCopies['database'] => ({ digest, isWhole: true });
const contradictory: SharedCopies['database'] = { digest: 'a', isWhole: false };

/** `database altered, right in stream`. */
const told = (
  stream: string | undefined,
  database: SharedCopies['database'],
  isStreamed = true,
): string | undefined => {
  const verdict = compareShared({ stream, database, isStreamed });
  const [fault] = verdict?.faults ?? [];

  return fault && `${fault.place} ${fault.problem}, right in ${verdict?.rightIn ?? 'none'}`;
};

test('an event that both places hold alike differs in nothing; nor does one that is older than the window', () => {
  assert.equal(told('a', whole('a')), undefined);
  assert.equal(told(undefined, whole('a'), false), undefined);
});

test('what one place lacks is right in the other', () => {
  assert.equal(told('a', undefined), 'database missing, right in stream');
  assert.equal(told(undefined, whole('a')), 'stream missing, right in database');
});

test('where the two disagree the stream is believed; a row that contradicts itself is right nowhere', () => {
  assert.equal(told('a', whole('b')), 'database altered, right in stream');
  assert.equal(told('a', contradictory), 'database altered, right in stream');
  assert.equal(told(undefined, contradictory), 'database altered, right in none');
  assert.equal(told(undefined, contradictory, false), 'database altered, right in none');
});
