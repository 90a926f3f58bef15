import { statfs } from 'node:fs/promises';

/** Percent of the file system under `folder` that is in use, as df counts it: root's reserve is no space of ours. */
export const usedPercent = async (folder: string): Promise<number> => {
  const { blocks, bfree, bavail } = await statfs(folder);
  const used = blocks - bfree;

  return used + bavail === 0 ? 100 : (100 * used) / (used + bavail);
};
