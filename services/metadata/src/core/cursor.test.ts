import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatCursor, parseCursor } from './cursor.ts';

const cursor = { startedAt: '2026-11-23T07:00:00.123Z', sessionId: '019ac1f0-7a10-7c3e-9b1d-3f8a5c2d4e6f' };

test('a cursor is read as it was written, and may stand in a URL', () => {
  const text = formatCursor(cursor);
  assert.equal(text, encodeURIComponent(text));
  assert.deepEqual(parseCursor(text), cursor);
});

test('whatever is no cursor is refused', () => {
  const text = formatCursor(cursor);
  for (const bad of ['', 'x', '===', text.slice(2), `${text}AAAA`, btoa('now none'), 'ä', 'A'.repeat(500)])
    assert.equal(parseCursor(bad), undefined, bad);
});
