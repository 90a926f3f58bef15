import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { hasOwnMounts, obstacleToOwnMounts, runWithOwnMounts, SmallDisk } from '@reelstream/testing';
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

  removeRecording(folder, '2026-11-23T08:00:00.000Z');
  removeRecording(folder, '2026-11-23T09:00:00.000Z');
  assert.equal(await isRemoved(folder), true);
  assert.deepEqual((await readdir(folder)).toSorted(), ['journal.ndjson', 'removed.json']);
  assert.equal(await readFile(join(folder, 'journal.ndjson'), 'utf8'), 'journal.ndjson');
  assert.match(await readFile(join(folder, 'removed.json'), 'utf8'), /T08:00/);
});

test('a folder that is not there can not be marked', async () => {
  assert.throws(() => removeRecording(join(folder, 'none'), '2026-11-23T08:00:00.000Z'), /ENOENT/);
});

if (hasOwnMounts())
  test('a recording is removed from a disk that has no room left, which frees it', async (t) => {
    const disk = new SmallDisk(1);
    const on = await mkdtemp(join(tmpdir(), 'removal-full-'));
    await disk.mount(on);
    t.after(async () => {
      await disk.unmount();
      await rm(on, { recursive: true });
    });
    const full = join(on, 'recording');
    await mkdir(full);
    for (const name of ['journal.ndjson', 'manifest.json', 'track-0.rtpdump'])
      await writeFile(join(full, name), Buffer.alloc(100_000));
    await disk.fill();
    removeRecording(full, '2026-11-23T08:00:00.000Z');
    assert.equal(await isRemoved(full), true);
    assert.deepEqual((await readdir(full)).toSorted(), ['journal.ndjson', 'removed.json']);
    await writeFile(join(on, 'another'), Buffer.alloc(100_000));
  });
else
  test('with a disk of its own', { skip: obstacleToOwnMounts() ?? false }, () =>
    runWithOwnMounts(import.meta.filename),
  );
