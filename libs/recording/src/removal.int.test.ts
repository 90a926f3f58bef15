import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { isRemoved, removeRecording } from './removal.ts';

let folder = '';
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'removal-'));
});
after(() => rm(folder, { recursive: true }));

test('a removed recording leaves its journal, and a mark that it is gone; twice changes nothing', async () => {
  await mkdir(join(folder, 'bodies'));
  for (const name of [
    'journal.ndjson',
    'manifest.json',
    'track-0.rtpdump',
    'track-0.index',
    'bodies/001-invite',
  ])
    await writeFile(join(folder, name), name);
  assert.equal(await isRemoved(folder), false);

  await removeRecording(folder, '2026-11-23T08:00:00.000Z');
  await removeRecording(folder, '2026-11-23T09:00:00.000Z');
  assert.equal(await isRemoved(folder), true);
  assert.deepEqual((await readdir(folder)).toSorted(), ['journal.ndjson', 'removed.json']);
  assert.equal(await readFile(join(folder, 'journal.ndjson'), 'utf8'), 'journal.ndjson');
  assert.match(await readFile(join(folder, 'removed.json'), 'utf8'), /T08:00/);
});

test('a folder that is not there can not be marked', async () => {
  await assert.rejects(removeRecording(join(folder, 'none'), '2026-11-23T08:00:00.000Z'), /ENOENT/);
});
