import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { recordingFolder } from './paths.ts';

const digits = /^\d{2,4}$/;

/** Names below `folder` that can be ours, in order; none where there is no such folder. */
const namesIn = async (folder: string): Promise<readonly string[]> => {
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException): string[] => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return [];
    throw error;
  });

  return names.toSorted();
};

const isRecording = (day: string, name: string): boolean => {
  try {
    return recordingFolder(name) === `${day}/${name}`;
  } catch {
    return false;
  }
};

/**
 * The sessions that have a folder below `root`, in the order of their ids, from the first after `after`. Whatever else lies there
 * is passed over. One day's names are in memory at a time.
 */
export async function* listRecordings(root: string, after?: string): AsyncGenerator<string, void, undefined> {
  const from = after === undefined ? '' : recordingFolder(after);
  const below = async (path: string): Promise<string[]> =>
    (await namesIn(join(root, path)))
      .filter((name) => digits.test(name))
      .map((name) => (path === '' ? name : `${path}/${name}`))
      .filter((inner) => inner >= from.slice(0, inner.length));
  for (const year of await below(''))
    for (const month of await below(year))
      for (const day of await below(month))
        for (const name of await namesIn(join(root, day)))
          if (isRecording(day, name) && `${day}/${name}` > from) yield name;
}
