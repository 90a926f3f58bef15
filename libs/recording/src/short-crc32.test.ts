import assert from 'node:assert/strict';
import { test } from 'node:test';
import { crc32 } from 'node:zlib';
import { shortCrc32 } from './short-crc32.ts';

test('the short way to a checksum comes to what zlib says', () => {
  const bytes = Buffer.from(Array.from({ length: 300 }, (_, i) => (i * 131 + (i >> 3)) & 0xff));
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (const seed of [0, 1, 0x8000_0000, 0xffff_ffff]) {
    for (const [from, to] of [
      [0, 0],
      [1, 5],
      [8, 52],
      [16, 300],
    ] as const) {
      assert.equal(shortCrc32(view, from, to, seed), crc32(bytes.subarray(from, to), seed));
    }
  }
});
