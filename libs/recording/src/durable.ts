import { access, mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Whether there is something by that name. */
export const isThere = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

type Syncing = { readonly now: Promise<void>; next?: Promise<void> };

/** Folders that are being synced. */
const syncing = new Map<string, Syncing>();

const syncNow = async (folder: string): Promise<void> => {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
};

const beginSync = (folder: string): Promise<void> => {
  const sync: Syncing = { now: syncNow(folder) };
  syncing.set(folder, sync);
  const over = (): void => {
    if (!sync.next) syncing.delete(folder);
  };
  sync.now.then(over, over);

  return sync.now;
};

/**
 * Syncs a directory, so that the names in it survive a power loss. Calls that come while it is being synced share the sync after
 * that: many sessions may begin at once in one folder.
 */
export const syncFolder = (folder: string): Promise<void> => {
  const sync = syncing.get(folder);
  if (!sync) return beginSync(folder);
  const begin = (): Promise<void> => beginSync(folder);

  return (sync.next ??= sync.now.then(begin, begin));
};

/** Folders that were made, and whose names are not durable yet: until when. */
const making = new Map<string, Promise<void>>();
let lastMade: Promise<unknown> = Promise.resolve();

/** Of an absolute path: itself and what it lies in, up to the root. */
const upFrom = (folder: string): readonly string[] => {
  const names = [folder];
  for (let name = folder; name !== dirname(name); name = dirname(name)) names.push(dirname(name));

  return names;
};

const syncNames = async (names: readonly string[]): Promise<void> => {
  for (const name of names) await syncFolder(dirname(name));
};

/** Year, month, day and session: a process that was killed may have made them, and not have lived to sync them. */
const levels = 4;
/** Names that this process knows to be durable; those of sessions come and go. */
const known = new Set<string>();
const mostKnown = 1_000;

/** What is there since before, and may not be durable: synced once in the life of a process. */
const syncInherited = async (names: readonly string[]): Promise<void> => {
  for (const name of names.slice(0, levels).filter((one) => !known.has(one)))
    await syncFolder(dirname(name)).catch((error: NodeJS.ErrnoException) => {
      // A folder that isn't ours to read was not made by us.
      if (error.code !== 'EACCES') throw error;
    });
  if (known.size > mostKnown) known.clear();
  for (const name of names.slice(0, levels)) known.add(name);
};

const makeNow = async (folder: string): Promise<readonly Promise<void>[]> => {
  const first = await mkdir(folder, { recursive: true });
  const names = upFrom(folder);
  const made = first === undefined ? [] : names.filter((name) => name.length >= first.length);
  const others = names.flatMap((name) => making.get(name) ?? []);
  const inherited = names.filter((name) => !made.includes(name) && !making.has(name));
  if (made.length === 0) return [...others, syncInherited(inherited)];
  const durable = Promise.all([syncNames(made), syncInherited(inherited)])
    .then(() => undefined)
    .finally(() => {
      for (const name of made) making.delete(name);
    });
  for (const name of made) making.set(name, durable);

  return [durable, ...others];
};

/**
 * Makes a folder with its parents; every name that was made is durable when it resolves, also those that another call has made just
 * now, or a process that was killed before it could sync them. One call after the other makes, so that each knows what those before it
 * have made; they sync at the same time.
 */
export const makeFolder = async (folder: string): Promise<void> => {
  const made = lastMade.then(() => makeNow(folder));
  lastMade = made.catch(() => undefined);
  await Promise.all(await made);
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
