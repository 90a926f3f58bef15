import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { listRecordings } from './list.ts';
import { recordingFolder } from './paths.ts';

/** UUIDv7 of a moment. */
const idAt = (moment: string, tail: string): string => {
  const hex = Date.parse(moment).toString(16).padStart(12, '0');

  return `${hex.slice(0, 8)}-${hex.slice(8)}-7000-8000-${tail.padStart(12, '0')}`;
};

const all = async (listed: AsyncIterable<string>): Promise<string[]> => {
  const ids: string[] = [];
  for await (const id of listed) ids.push(id);

  return ids;
};

test('folders are listed by age from any session on, and what is no recording is passed over', async () => {
  const root = await mkdtemp(join(tmpdir(), 'recordings-'));
  try {
    const ids = [
      idAt('2025-12-31T23:59:59.999Z', '1'),
      idAt('2026-01-01T00:00:00.000Z', '1'),
      idAt('2026-01-01T00:00:00.000Z', '2'),
      idAt('2026-11-02T10:00:00.000Z', '1'),
      idAt('2026-11-10T10:00:00.000Z', '1'),
    ];
    for (const id of ids) await mkdir(join(root, recordingFolder(id)), { recursive: true });
    await mkdir(join(root, '2026/11/02/not-a-session'));
    // Of another day than its id says.
    await mkdir(join(root, '2026/11/02', ids[1] ?? ''));
    await mkdir(join(root, 'lost+found'));
    await writeFile(join(root, '.trial'), '');
    await writeFile(join(root, '2026', '12'), 'no folder');

    assert.deepEqual(await all(listRecordings(root)), ids);
    for (const [index, id] of ids.entries())
      assert.deepEqual(await all(listRecordings(root, id)), ids.slice(index + 1));
    assert.deepEqual(await all(listRecordings(join(root, 'nowhere'))), []);
  } finally {
    await rm(root, { recursive: true });
  }
});
