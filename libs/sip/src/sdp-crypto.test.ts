import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatCrypto, lifetimeOf, parseCrypto } from './sdp-crypto.ts';
import { parseSdp } from './sdp.ts';

const key = 'WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz';
const other = 'AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwd';

test('a=crypto is read whole: tag, suite, key, lifetime, MKI and session parameters', () => {
  const line = parseCrypto(
    `1 AES_CM_128_HMAC_SHA1_80 inline:${key}|2^20|1:4 UNENCRYPTED_SRTCP KDR=0  FEC_ORDER=FEC_SRTP`,
  );
  assert.deepEqual(line, {
    tag: '1',
    suite: 'AES_CM_128_HMAC_SHA1_80',
    keys: [{ inline: key, lifetime: '2^20', mki: '00000001' }],
    parameters: ['UNENCRYPTED_SRTCP', 'KDR=0', 'FEC_ORDER=FEC_SRTP'],
  });
});

test('lifetime and MKI may be left out, each by itself', () => {
  const keyOf = (text: string) => parseCrypto(`7 AEAD_AES_128_GCM inline:${key}${text}`)?.keys[0];
  assert.deepEqual(keyOf(''), { inline: key, lifetime: undefined, mki: undefined });
  assert.deepEqual(keyOf('|1048576'), { inline: key, lifetime: '1048576', mki: undefined });
  assert.deepEqual(keyOf('|66051:3'), { inline: key, lifetime: undefined, mki: '010203' });
  assert.deepEqual(
    [undefined, '2^20', '1048577', '2^999999999999999'].map((lifetime) => lifetimeOf({ lifetime })),
    [undefined, 1_048_576, 1_048_577, 2 ** 48],
  );
});

test('several keys are told apart by their MKI, or not taken at all', () => {
  const keys = (text: string) => parseCrypto(`1 AES_CM_128_HMAC_SHA1_32 ${text}`)?.keys.map(({ mki }) => mki);
  assert.deepEqual(keys(`inline:${key}|2^20|1:1;inline:${other}|2^20|2:1`), ['01', '02']);
  assert.deepEqual(keys(`inline:${key};inline:${other}`), []);
  assert.deepEqual(keys(`inline:${key}|1:1;inline:${other}|2:4`), []);
  assert.deepEqual(keys(`inline:${key}|1:1;inline:${other}`), []);
});

test('a key that breaks the rules leaves a line without keys; a line without tag or suite is none', () => {
  for (const keys of [
    'inline:',
    'inline:***',
    `prime:${key}`,
    `inline:${key}|2^20|300:1`,
    `inline:${key}|0:129`,
    `inline:${key}|x`,
    `inline:${key}|1:4|1:4`,
    '',
  ])
    assert.deepEqual(parseCrypto(`1 AES_CM_128_HMAC_SHA1_80 ${keys}`)?.keys, [], keys);
  for (const text of [
    '',
    '1',
    'x AES_CM_128_HMAC_SHA1_80 inline:a',
    '1234567890 A inline:a',
    '1 A-B inline:a',
  ])
    assert.equal(parseCrypto(text), undefined, text);
});

test('what is written is read again', () => {
  const line = { tag: '3', suite: 'AEAD_AES_256_GCM', parameters: ['UNENCRYPTED_SRTCP'] };
  const keys = [{ inline: key, lifetime: undefined, mki: undefined }];
  const text = formatCrypto({ ...line, keys });
  assert.deepEqual(parseCrypto(text.slice('a=crypto:'.length)), { ...line, keys });
});

test('fingerprint, setup and ICE hold for the session where an m-line has none of its own', () => {
  const fingerprint = (byte: string): string => Array.from({ length: 32 }, () => byte).join(':');
  const { media } = parseSdp(
    [
      'v=0',
      `a=fingerprint:SHA-256 ${fingerprint('ab')}`,
      'a=setup:actpass',
      'a=ice-ufrag:one',
      'a=ice-pwd:secret-of-the-session',
      'm=audio 4000 UDP/TLS/RTP/SAVP 0',
      'm=audio 4002 UDP/TLS/RTP/SAVP 0',
      'a=setup:passive',
      `a=fingerprint:sha-256 ${fingerprint('01')}`,
      'a=fingerprint:sha-256 01:02',
    ].join('\r\n'),
  );
  assert.deepEqual(
    media.map(({ fingerprints, setup, ice }) => [fingerprints, setup, ice?.ufrag]),
    [
      [[{ hash: 'sha-256', value: fingerprint('AB') }], 'actpass', 'one'],
      [[{ hash: 'sha-256', value: fingerprint('01') }], 'passive', 'one'],
    ],
  );
});

test('no truncation and no flipped bit of the lines throws', () => {
  const whole = [
    'v=0',
    'm=audio 4000 RTP/SAVP 0',
    `a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:${key}|2^20|1:4;inline:${other}|2^20|2:4 KDR=0 -X`,
    `a=fingerprint:sha-256 ${Array.from({ length: 32 }, () => 'AB').join(':')}`,
    'a=setup:actpass',
  ].join('\r\n');
  for (let at = 0; at < whole.length; at += 1) {
    parseSdp(whole.slice(0, at));
    for (let bit = 0; bit < 8; bit += 1) {
      const damaged = Buffer.from(whole);
      damaged[at] = (damaged[at] ?? 0) ^ (1 << bit);
      const [line] = parseSdp(damaged.toString('latin1')).media;
      assert.ok((line?.crypto.length ?? 0) <= 1);
    }
  }
});
