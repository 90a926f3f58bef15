import assert from 'node:assert/strict';
import { test } from 'node:test';
import { redirectTargets } from './redirect-targets.ts';

test('targets are tried by q, then in order; none counts as 1', () => {
  assert.deepEqual(
    redirectTargets('<sip:c@h>;q=0.2, "a, b" <sip:a@h;transport=tcp>, sip:b@h;expires=3, <sips:d@h>;q=0.7'),
    ['sip:a@h;transport=tcp', 'sip:b@h', 'sips:d@h', 'sip:c@h'],
  );
});

test('what is no SIP URI is left out, and a flood is cut', () => {
  assert.deepEqual(redirectTargets(''), []);
  assert.deepEqual(redirectTargets('*, <tel:+4930>, <sip:a b>, <mailto:x@y>'), []);
  assert.deepEqual(redirectTargets('<sip:a@h>;q=soon, <sip:b@h>;q=0.1'), ['sip:b@h', 'sip:a@h']);
  assert.equal(redirectTargets(Array.from({ length: 500 }, (_, n) => `<sip:${n}@h>`).join(',')).length, 10);
});
