import { mkdir, mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SmallDisk } from '@reelstream/testing';
import { startSystem } from '../../support/system.ts';
import type { System } from '../../support/system.ts';

/** A whole system whose recordings, and nothing else of it, lie on this disk. */
export const startSystemOn = async (
  disk: SmallDisk,
  settings: Readonly<Record<string, string>>,
): Promise<System> => {
  await using begun = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'reelstream-disk-'));
  begun.defer(() => rm(folder, { recursive: true, force: true }));
  await disk.mount(folder);
  begun.defer(() => disk.unmount());
  const recordings = join(folder, 'recordings');
  await mkdir(recordings);
  const system = begun.use(
    await startSystem(settings, (dataDir) => symlink(recordings, join(dataDir, 'recordings'))),
  );
  const stack = begun.move();

  return { ...system, [Symbol.asyncDispose]: () => stack[Symbol.asyncDispose]() };
};
