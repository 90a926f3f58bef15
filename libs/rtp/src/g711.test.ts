import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodePcma, decodePcmu } from './g711.ts';

test('µ-law decodes to the values of ITU-T G.711, table 2', () => {
  const values = decodePcmu(Buffer.from([0x00, 0x0f, 0x10, 0x7e, 0x7f, 0x80, 0x8f, 0xf0, 0xfe, 0xff]));
  assert.deepEqual([...values], [-32_124, -16_764, -15_996, -8, 0, 32_124, 16_764, 120, 8, 0]);
});

test('A-law decodes to the values of ITU-T G.711, table 1', () => {
  const values = decodePcma(Buffer.from([0x55, 0xd5, 0x54, 0xd4, 0x2a, 0xaa, 0x00, 0x80]));
  assert.deepEqual([...values], [-8, 8, -24, 24, -32_256, 32_256, -5_504, 5_504]);
});

test('both laws are odd and grow with their code', () => {
  for (let code = 0; code < 127; code++) {
    const [down, up] = decodePcmu(Buffer.of(code, code + 0x80));
    assert.equal(down! + up!, 0);
    assert.ok(decodePcmu(Buffer.of(code))[0]! < decodePcmu(Buffer.of(code + 1))[0]!);
  }
  const magnitudes = Array.from({ length: 128 }, (_, i) => decodePcma(Buffer.of((i | 0x80) ^ 0x55))[0]!);
  assert.deepEqual(
    magnitudes,
    magnitudes.toSorted((a, b) => a - b),
  );
});
