import assert from 'node:assert/strict';
import { test } from 'node:test';
import { freshId } from './ids.ts';

test('ids of one process are UUIDs of version 7, differ, and sort as they were made', () => {
  const ids = Array.from({ length: 5_000 }, () => freshId());
  assert.ok(
    ids.every((id) => /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(id)),
  );
  assert.equal(new Set(ids).size, ids.length);
  assert.deepEqual(ids.toSorted(), ids);
  const made = Number.parseInt((ids[0] ?? '').replaceAll('-', '').slice(0, 12), 16);
  assert.ok(Math.abs(Date.now() - made) < 60_000);
});
