import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AesGcmCipher } from './aes-gcm.ts';
import { deriveSessionKeys } from './derive.ts';
import { SrtcpSender } from './srtcp-sender.ts';
import { SrtpReceiver } from './srtp-receiver.ts';
import { srtpSuite } from './suites.ts';

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(/\s/g, ''), 'hex');
const suite = (name: string) => srtpSuite(name) ?? assert.fail(`no ${name}`);

test('session keys follow from a master key as in RFC 3711 B.3', () => {
  const keys = deriveSessionKeys(
    suite('AES_CM_128_HMAC_SHA1_80'),
    { key: hex('E1F97A0D3E018BE0D64FA32C06DE4139'), salt: hex('0EC675AD498AFEEBB6960B3AABE6') },
    'rtp',
  );
  assert.deepEqual(keys.encryption, hex('C61E7A93744F39EE10734AFE3FF7A087'));
  assert.deepEqual(keys.salt, hex('30CBBC08863D8C85D49DB34A9AE1'));
  assert.deepEqual(keys.authentication, hex('CEBE321F6FF7716B6FD4AB49AF256A156D38BAA4'));
});

test('and from one of 256 bits as in RFC 6188 §7.2', () => {
  const keys = deriveSessionKeys(
    suite('AES_256_CM_HMAC_SHA1_80'),
    {
      key: hex('f0f04914b513f2763a1b1fa130f10e2998f6f6e43e4309d1e622a0e332b9f1b6'),
      salt: hex('3b04803de51ee7c96423ab5b78d2'),
    },
    'rtp',
  );
  assert.deepEqual(keys.encryption, hex('5ba1064e30ec51613cad926c5a28ef731ec7fb397f70a960653caf06554cd8c4'));
  assert.deepEqual(keys.salt, hex('fa31791685ca444a9e07c6c64e93'));
  assert.deepEqual(keys.authentication, hex('fd9c32d39ed5fbb5a9dc96b30818454d1313dc05'));
});

const gallia = Buffer.from('Gallia est omnis divisa in partes tres');
const salt = hex('517569642070726f2071756f');
const key128 = hex('000102030405060708090a0b0c0d0e0f');
const key256 = hex('000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f');
const noAuthentication = Buffer.alloc(0);
const rtpHeader = '8040f17b 8041f8d3 5501a0b2';

for (const [name, encryption, encrypted] of [
  [
    'RFC 7714 §16.1.1: AEAD_AES_128_GCM',
    key128,
    `f24de3a3 fb34de6c acba861c 9d7e4bca be633bd5 0d294e6f 42a5f47a 51c7d19b 36de3adf
     8833 899d7f27 beb16a91 52cf765e e4390cce`,
  ],
  [
    'RFC 7714 §16.2.1: AEAD_AES_256_GCM',
    key256,
    `32b1de78 a822fe12 ef9f78fa 332e33aa b1801238 9a58e2f3 b50b2a02 76ffae0f 1ba63799
     b87b 7aa3db36 dfffd6b0 f9bb7878 d7a76c13`,
  ],
] as const) {
  test(`${name} reads RTP`, () => {
    const cipher = new AesGcmCipher({ encryption, salt, authentication: noAuthentication });
    const packet = hex(rtpHeader + encrypted);
    assert.equal(cipher.openRtp(packet, 12, 0, 0x5501a0b2, 0xf17b, false), 12 + gallia.length);
    assert.deepEqual(packet.subarray(0, 12 + gallia.length), Buffer.concat([hex(rtpHeader), gallia]));
    assert.equal(cipher.openRtp(hex(rtpHeader + encrypted), 12, 0, 0x5501a0b2, 0x1f17b, false), -1);
  });
}

const srtp = '80 0f 1234 decafbad cafebabe';
const srtcp = '81 c8 000b cafebabe';
const ab = (count: number): string => 'ab'.repeat(count);

/** Whole packets as libsrtp's own tests have them (test/srtp_driver.c). */
for (const vector of [
  {
    suite: 'AES_CM_128_HMAC_SHA1_80',
    master: 'e1f97a0d3e018be0d64fa32c06de4139 0ec675ad498afeebb6960b3aabe6',
    rtp: '4e55dc4ce79978d88ca4d215949d2402 b78d6acc99ea179b8dbb',
    rtcp: '7128035be487b9bdbef89041f977a5a8 80000001 993e08cd54d6c1230798',
  },
  {
    suite: 'AES_CM_128_HMAC_SHA1_80',
    mki: 'e1f97a0d',
    master: 'e1f97a0d3e018be0d64fa32c06de4139 0ec675ad498afeebb6960b3aabe6',
    rtp: '4e55dc4ce79978d88ca4d215949d2402 e1f97a0d b78d6acc99ea179b8dbb',
    rtcp: '7128035be487b9bdbef89041f977a5a8 80000001 e1f97a0d 993e08cd54d6c1230798',
  },
  {
    suite: 'AEAD_AES_128_GCM',
    master: '000102030405060708090a0b0c0d0e0f a0a1a2a3a4a5a6a7a8a9aaab',
    rtp: 'c5002ede04cfdd2eb91159e0880aa06e d2976826f796b201df3131a127e8a392',
    rtcp: 'c98b8b5df0392a55852b6c21ac8e7025 c52c6fbea2b3b446ea31123ba88ce61e 80000001',
  },
  {
    suite: 'AES_256_CM_HMAC_SHA1_80',
    master: 'f0f04914b513f2763a1b1fa130f10e2998f6f6e43e4309d1e622a0e332b9f1b6 3b04803de51ee7c96423ab5b78d2',
    rtp: 'f1d9de17ff251ff1aa007774b0b4b40d a08d9d9a5b3a55d8873b',
    rtcp: undefined,
  },
]) {
  test(`a packet of libsrtp is read: ${vector.suite}${vector.mki === undefined ? '' : ' with MKI'}`, () => {
    const receiver = new SrtpReceiver();
    const inline = hex(vector.master).toString('base64');
    const mki = vector.mki === undefined ? {} : { mki: vector.mki };
    assert.equal(receiver.setKeys({ suite: vector.suite, keys: [{ inline, ...mki }] }), true);
    assert.deepEqual(receiver.unprotect(hex(srtp + vector.rtp), 'rtp'), hex(srtp + ab(16)));
    assert.equal(receiver.unprotect(hex(srtp + vector.rtp), 'rtp'), undefined);
    if (vector.rtcp !== undefined)
      assert.deepEqual(receiver.unprotect(hex(srtcp + vector.rtcp), 'rtcp'), hex(srtcp + ab(16)));
    assert.equal(receiver.counts.replayed, 1);
  });

  if (vector.rtcp === undefined) continue;
  test(`and what we send is its packet: ${vector.suite}${vector.mki === undefined ? '' : ' with MKI'}`, () => {
    const inline = hex(vector.master).toString('base64');
    const mki = vector.mki === undefined ? {} : { mki: vector.mki };
    const sender = SrtcpSender.from({ suite: vector.suite, keys: [{ inline, ...mki }] });
    sender?.protect(hex(srtcp + ab(16)));
    assert.deepEqual(sender?.protect(hex(srtcp + ab(16))), hex(srtcp + vector.rtcp));
  });
}
