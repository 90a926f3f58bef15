import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { replaceFile } from '@reelstream/recording';
import { StartupError } from '@reelstream/service';

const isMissing = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 'ENOENT';

const readEpoch = async (path: string): Promise<number> => {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    if (isMissing(error)) return '0';
    throw error;
  });
  if (!/^\d{1,15}\n?$/.test(text)) throw new StartupError(`${path} (REEL_CAPTURE_DIR) holds no number`);

  return Number(text);
};

/** Begins the next life of this node: counts `epoch` in the folder up, durably, and returns it (1 at first). */
export const nextEpoch = async (folder: string): Promise<number> => {
  const path = join(folder, 'epoch');
  const epoch = (await readEpoch(path)) + 1;
  await replaceFile(path, Buffer.from(`${epoch}\n`));

  return epoch;
};
