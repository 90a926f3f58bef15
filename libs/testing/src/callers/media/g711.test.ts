import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { decodeG711, encodeG711 } from './g711.ts';

const allCodes = Uint8Array.from({ length: 256 }, (_, code) => code);

test('every A-law code survives decoding and encoding', () => {
  assert.deepEqual(encodeG711('PCMA', decodeG711('PCMA', allCodes)), allCodes);
});

test('every mu-law code survives decoding and encoding, except that minus zero becomes zero', () => {
  const expected = Uint8Array.from(allCodes, (code) => (code === 0x7f ? 0xff : code));

  assert.deepEqual(encodeG711('PCMU', decodeG711('PCMU', allCodes)), expected);
});

test('the known points of both laws are right', () => {
  assert.deepEqual([...decodeG711('PCMU', Uint8Array.of(0x00, 0x80, 0xff, 0xce))], [-32124, 32124, 0, 988]);
  assert.deepEqual([...decodeG711('PCMA', Uint8Array.of(0x2a, 0xaa, 0xd5, 0x55))], [-32256, 32256, 8, -8]);
});

test('the tables agree with those of another implementation', () => {
  const digest = (bytes: ArrayBufferLike): string =>
    createHash('sha256').update(new Uint8Array(bytes)).digest('hex');

  assert.equal(
    digest(decodeG711('PCMU', allCodes).buffer),
    '3dab54339e520bb2c924826e3b72a917a2b612e9fd12fc867500f1d983a75827',
  );
  assert.equal(
    digest(decodeG711('PCMA', allCodes).buffer),
    'e04788d110e58ff8c70c93b8480190d973e3b67876b6119abbaec766cc75c174',
  );
});

test('an encoded sample is off by at most half a step; beyond the ends of the range it is clipped', () => {
  for (let sample = -32_000; sample <= 32_000; sample += 7) {
    for (const law of ['PCMU', 'PCMA'] as const) {
      const [back] = decodeG711(law, encodeG711(law, Int16Array.of(sample)));
      assert.ok(Math.abs(sample - Number(back)) <= (Math.abs(sample) + 132) / 32 + 8, `${law} ${sample}`);
    }
  }
  assert.deepEqual([...encodeG711('PCMU', Int16Array.of(-32_768, 32_767))], [0x00, 0x80]);
});
