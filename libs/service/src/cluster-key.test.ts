import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { decryptSecret, encryptSecret, signPath, verifyPath } from './cluster-key.ts';
import { Secret } from './secret.ts';

const key = new Secret(randomBytes(32).toString('base64'));
const otherKey = new Secret(randomBytes(32).toString('base64'));

test('a secret comes back under the same key and never under another', () => {
  const encrypted = encryptSecret(key, 'whsec_abc');
  assert.equal(decryptSecret(key, encrypted), 'whsec_abc');
  assert.notEqual(encryptSecret(key, 'whsec_abc'), encrypted);
  assert.throws(() => decryptSecret(otherKey, encrypted));
  assert.throws(() => decryptSecret(key, 'AAAA'), RangeError);
});

test('a signed path opens itself, for its time', () => {
  const query = Object.fromEntries(new URLSearchParams(signPath(key, '/media/x', 2_000)));
  assert.equal(verifyPath(key, '/media/x', query, 1_999), true);
  assert.equal(verifyPath(key, '/media/x', query, 2_000), false);
  assert.equal(verifyPath(key, '/media/y', query, 1_999), false);
  assert.equal(verifyPath(key, '/media/x', { ...query, expires: '9000' }, 1_999), false);
  assert.equal(verifyPath(otherKey, '/media/x', query, 1_999), false);
  assert.equal(verifyPath(key, '/media/x', {}, 1_999), false);
});
