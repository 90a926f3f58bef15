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

/** Folders that hold others, whose names are durable by what this process has synced. */
const durableParents = new Set<string>();

/** A folder that others made may not be ours to open. */
const notOurs = new Set(['EACCES', 'EPERM', 'EINVAL', 'EROFS']);

const syncParent = async (folder: string): Promise<void> => {
  try {
    await syncFolder(folder);
  } catch (error) {
    if (!notOurs.has((error as NodeJS.ErrnoException).code ?? '')) throw error;
  }
};

/**
 * Makes a folder with its parents; every name on the way is durable when it resolves. What is there already may have been made just now
 * by somebody who has not synced it yet, or by a life that was killed before it did: once per process it is synced, too.
 */
export const makeFolder = async (folder: string): Promise<void> => {
  const first = await mkdir(folder, { recursive: true });
  const parents: string[] = [];
  for (let name = folder; name !== dirname(name); name = dirname(name)) {
    const isNew = first !== undefined && name.length >= first.length;
    if (durableParents.has(name) && !isNew) break;
    await syncParent(dirname(name));
    if (name !== folder) parents.push(name);
  }
  for (const parent of parents) durableParents.add(parent);
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
