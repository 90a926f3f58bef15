import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SrtpSender, srtpLengths } from '@reelstream/testing/callers';
import type { SrtpSuiteName } from '@reelstream/testing/callers';
import { SrtcpSender } from './srtcp-sender.ts';
import { SrtpReceiver } from './srtp-receiver.ts';

const suites: readonly SrtpSuiteName[] = [
  'AES_CM_128_HMAC_SHA1_80',
  'AES_CM_128_HMAC_SHA1_32',
  'AES_256_CM_HMAC_SHA1_80',
  'AEAD_AES_128_GCM',
  'AEAD_AES_256_GCM',
];

/** A receiver report without blocks, and the CNAME of who sent it. */
const report = Buffer.from('80c90001deadbeef81ca0003deadbeef010561406263640000', 'hex').subarray(0, 24);

for (const suite of suites)
  test(`${suite}: our RTCP is what another implementation makes of it, each packet under an index of its own`, () => {
    const lengths = srtpLengths(suite);
    const master = { key: Buffer.alloc(lengths.key, 3), salt: Buffer.alloc(lengths.salt, 4) };
    const keying = { suite, keys: [{ inline: Buffer.concat([master.key, master.salt]).toString('base64') }] };
    const other = new SrtpSender(suite, master);
    const receiver = new SrtpReceiver();
    receiver.setKeys(keying);
    for (const life of [0, 1]) {
      const ours = SrtcpSender.from(keying, life);
      assert.ok(ours);
      for (let n = 0; n < 3; n++) {
        const sealed: Buffer | undefined = ours.protect(Buffer.from(report));
        assert.ok(sealed);
        const index = indexOf(suite, sealed);
        assert.deepEqual(sealed, other.protectRtcp(report, index));
        assert.deepEqual(receiver.unprotect(Buffer.from(sealed), 'rtcp'), report);
      }
    }
    assert.equal(receiver.counts.replayed, 0, 'no index was used twice, not by a later life either');
  });

/** The index behind the flag E, which is set (RFC 3711 §3.4, RFC 7714 §9.2). */
const indexOf = (suite: SrtpSuiteName, sealed: Buffer): number => {
  const word = sealed.readUInt32BE(sealed.length - 4 - (suite.startsWith('AEAD') ? 0 : 10));
  assert.ok(word >= 0x80000000);

  return word - 0x80000000;
};
