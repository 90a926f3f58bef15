import assert from 'node:assert/strict';
import { test } from 'node:test';
import { longestMaterial, splitKeys } from './dtls-keys.ts';
import { readKeying } from './keying.ts';

/** Bytes that tell their place. */
const material = Buffer.from(Array.from({ length: longestMaterial }, (_, at) => at));

const profiles = [
  ['SRTP_AEAD_AES_256_GCM', 'AEAD_AES_256_GCM', 32, 12],
  ['SRTP_AEAD_AES_128_GCM', 'AEAD_AES_128_GCM', 16, 12],
  ['SRTP_AES128_CM_SHA1_80', 'AES_CM_128_HMAC_SHA1_80', 16, 14],
  ['SRTP_AES128_CM_SHA1_32', 'AES_CM_128_HMAC_SHA1_32', 16, 14],
] as const;

for (const [profile, suite, key, salt] of profiles) {
  test(`the keys of ${profile} lie in the order of RFC 5764 §4.2`, () => {
    const keys = splitKeys(profile, material);
    const from = (at: number, length: number): Buffer => material.subarray(at, at + length);
    for (const [keying, keyAt, saltAt] of [
      [keys?.client, 0, 2 * key],
      [keys?.server, key, 2 * key + salt],
    ] as const) {
      const read = keying && readKeying(keying);
      assert.equal(read?.suite.name, suite);
      assert.deepEqual(read?.masters[0]?.key, from(keyAt, key));
      assert.deepEqual(read?.masters[0]?.salt, from(saltAt, salt));
    }
  });
}

test('a profile that is none of ours, or material that is too short, has no keys', () => {
  assert.equal(splitKeys('SRTP_NULL_SHA1_80', material), undefined);
  assert.equal(splitKeys('SRTP_AEAD_AES_256_GCM', material.subarray(0, 87)), undefined);
});
