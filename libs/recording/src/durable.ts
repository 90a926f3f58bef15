import { access, mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Whether there is something by that name. */
export const isThere = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

/** Syncs a directory, so that the names in it survive a power loss. */
export const syncFolder = async (folder: string): Promise<void> => {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
};

/** Makes a folder with its parents; every name that was made is durable when it resolves. */
export const makeFolder = async (folder: string): Promise<void> => {
  const first = await mkdir(folder, { recursive: true });
  if (first === undefined) return;
  const top = dirname(first);
  for (let made = folder; made !== top;) {
    made = dirname(made);
    await syncFolder(made);
  }
};

/** Creates a file with its bytes; file and name are durable when it resolves. Throws EEXIST where the name is taken. */
export const createFile = async (path: string, bytes: Uint8Array): Promise<void> => {
  const handle = await open(path, 'wx');
  try {
    await handle.writeFile(bytes);
    await handle.sync();
  } catch (error) {
    await rm(path, { force: true });
    throw error;
  } finally {
    await handle.close();
  }
  await syncFolder(dirname(path));
};

/** Puts a file in place whole, instead of whatever had its name; file and name are durable when it resolves. */
export const replaceFile = async (path: string, bytes: Uint8Array): Promise<void> => {
  const aside = `${path}.part`;
  await rm(aside, { force: true });
  await createFile(aside, bytes);
  await rename(aside, path);
  await syncFolder(dirname(path));
};
