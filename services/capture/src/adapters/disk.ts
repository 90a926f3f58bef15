import { statfs, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

export type DiskUse = { readonly usedPercent: number; readonly totalBytes: number };

/** How much of the file system under `folder` is in use, as df counts it: root's reserve is no space of ours. */
export const diskUse = async (folder: string): Promise<DiskUse> => {
  const { blocks, bfree, bavail, bsize } = await statfs(folder);
  const used = blocks - bfree;
  const ours = used + bavail;

  return { usedPercent: ours === 0 ? 100 : (100 * used) / ours, totalBytes: ours * bsize };
};

const trial = Buffer.alloc(4_096);

/** What keeps this folder from being written, or undefined. A file system tells that it is full or read-only only so. */
export const tryToWrite = (folder: string): Promise<string | undefined> =>
  writeFile(join(folder, '.trial'), trial).then(
    () => undefined,
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  );
