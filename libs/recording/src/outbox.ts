import { open, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { makeFolder, syncFolder } from './durable.ts';

const entryName = /^[A-Za-z0-9_-]{1,64}$/;

/**
 * The journals that still have something to do: a folder with one empty file per session that runs, isn't sealed, or
 * has unreleased events. After a restart it is all that must be read; folders of older sessions are left alone.
 */
export type Outbox = {
  /** Durable when it resolves; to be called before the session's journal is opened first. Twice is no error. */
  add(sessionId: string): Promise<void>;
  /** Once the session is sealed and its last event released. A lost removal costs one look at its journal. */
  remove(sessionId: string): Promise<void>;
  /** Oldest first (ids are time-ordered). */
  list(): Promise<readonly string[]>;
};

/** Opens (makes) the outbox in `folder`, e.g. `<capture>/outbox`. */
export const openOutbox = async (folder: string): Promise<Outbox> => {
  await makeFolder(folder);
  const pathOf = (id: string): string => {
    if (!entryName.test(id)) throw new RangeError(`${JSON.stringify(id.slice(0, 64))} can't name an entry`);

    return join(folder, id);
  };

  return {
    add: async (id) => {
      await (await open(pathOf(id), 'a')).close();
      await syncFolder(folder);
    },
    remove: async (id) => rm(pathOf(id), { force: true }),
    list: async () => (await readdir(folder)).filter((name) => entryName.test(name)).toSorted(),
  };
};
