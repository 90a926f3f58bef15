import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { FileCache } from './cache.ts';

let folder = '';

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'reel-cache-'));
});

after(() => rm(folder, { recursive: true }));

const maker = (size: number) => async (workFolder: string) => {
  const path = join(workFolder, 'out');
  await writeFile(path, Buffer.alloc(size));

  return path;
};

test('what was used least recently goes when there is too much, but never what was just made', async () => {
  const cache = await FileCache.open({ folder: join(folder, 'a'), maxBytes: 250 });
  const first = await cache.get('first', maker(100));
  await utimes(first, 1, 1);
  const second = await cache.get('second', maker(100));
  await utimes(second, 2, 2);
  await cache.get('first', maker(100));
  await cache.get('third', maker(100));

  assert.deepEqual((await readdir(join(folder, 'a', 'exports'))).sort(), ['first', 'third']);
  await cache.get('huge', maker(1_000));
  assert.deepEqual(await readdir(join(folder, 'a', 'exports')), ['huge']);
});

test('what failed leaves nothing behind and may be tried again', async () => {
  const cache = await FileCache.open({ folder: join(folder, 'b'), maxBytes: 250 });
  const fail = async (workFolder: string): Promise<string> => {
    await writeFile(join(workFolder, 'half'), 'x');
    throw new Error('no');
  };

  await assert.rejects(cache.get('x', fail), /no/);
  assert.deepEqual(await readdir(join(folder, 'b', 'work')), []);
  await cache.get('x', maker(1));
});

test('what an earlier life left unfinished is cleared at the start', async () => {
  await mkdir(join(folder, 'c', 'work', 'old'), { recursive: true });
  await FileCache.open({ folder: join(folder, 'c'), maxBytes: 1 });

  assert.deepEqual(await readdir(join(folder, 'c', 'work')), []);
});
