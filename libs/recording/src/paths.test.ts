import assert from 'node:assert/strict';
import { test } from 'node:test';
import { recordingFolder } from './paths.ts';

test("a recording's folder follows from its id alone, by the UTC date inside it", () => {
  const ms = Date.parse('2026-11-23T23:59:59.999Z').toString(16).padStart(12, '0');
  const id = `${ms.slice(0, 8)}-${ms.slice(8)}-7abc-8def-0123456789ab`;
  assert.equal(recordingFolder(id), `2026/11/23/${id}`);
  assert.equal(recordingFolder(id.toUpperCase()), `2026/11/23/${id}`);
});

test('an id that carries no time, or a path, is refused', () => {
  for (const id of [
    '',
    '../../etc',
    '8f6c1f5e-5a0e-4b5b-9d0a-3c1d3a2b7e10',
    'ffffffff-ffff-7000-8000-000000000000',
  ]) {
    assert.throws(() => recordingFolder(id), { code: 'RECORDING_SESSION_ID' });
  }
});
