import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withoutKeys } from './without-keys.ts';

test('no key and no password of a description is kept, whatever the ends of its lines', () => {
  for (const end of ['\r\n', '\n', '\r']) {
    const body = [
      'v=0',
      'k=base64:c2VjcmV0',
      'a=key-mgmt:mikey secret',
      'a=ice-ufrag:open',
      'a=ice-pwd:secret',
      'm=audio 4000 RTP/SAVP 0',
      'a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:secret|2^20|1:4;inline:secret|2^20|2:4 KDR=0',
      ' A=CRYPTO:2 AES_CM_128_HMAC_SHA1_80 inline:secret',
      'a=x-other:inline:secret|1:4',
      'a=fingerprint:sha-256 AB:CD',
      '',
    ].join(end);
    const kept = withoutKeys(body);
    assert.doesNotMatch(kept, /secret|c2VjcmV0/);
    assert.match(kept, /k=removed/);
    assert.match(kept, /a=crypto:removed/);
    for (const open of ['a=ice-ufrag:open', 'a=fingerprint:sha-256 AB:CD', 'm=audio 4000 RTP/SAVP 0'])
      assert.ok(kept.includes(open));
    assert.equal(kept.split(end).length, body.split(end).length);
  }
});
