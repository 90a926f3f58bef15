import { mkdir, mkdtemp, rename, rm, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { basename, dirname, join } from 'node:path';

/** Where downloads and templates live between runs: REEL_CACHE_DIR, else `reelstream` in XDG's cache folder. */
export const cacheDir = (env: NodeJS.ProcessEnv = process.env): string =>
  env['REEL_CACHE_DIR'] || join(env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'reelstream');

export const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );

/**
 * A folder of the cache, made once per machine. `fill` gets an empty folder that appears under its name only when
 * complete: a process that dies half-way leaves nothing that counts, and of two at once the first wins.
 */
export const cached = async (name: string, fill: (dir: string) => Promise<void>): Promise<string> => {
  const path = join(cacheDir(), name);
  if (await exists(path)) return path;

  await mkdir(dirname(path), { recursive: true });
  const draft = await mkdtemp(join(dirname(path), `.${basename(name)}-`));
  try {
    await fill(draft);
    await rename(draft, path);
  } catch (error) {
    await rm(draft, { recursive: true, force: true });
    if (!(await exists(path))) throw error;
  }

  return path;
};
