import { closeSync, fsyncSync, mkdirSync, openSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The blocking twins of durable.ts, for threads that may wait. */
export const syncFolderSync = (folder: string): void => {
  const fd = openSync(folder, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
};

export const makeFolderSync = (folder: string): void => {
  const first = mkdirSync(folder, { recursive: true });
  if (first === undefined) return;
  const top = dirname(first);
  for (let made = folder; made !== top;) {
    made = dirname(made);
    syncFolderSync(made);
  }
};

/** Puts a file in place whole: written aside, synced, renamed. The name is durable when it returns. */
export const replaceFileSync = (folder: string, name: string, text: string): void => {
  const temporary = join(folder, `.${name}.part`);
  const fd = openSync(temporary, 'w');
  try {
    writeFileSync(fd, text);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
  renameSync(temporary, join(folder, name));
  syncFolderSync(folder);
};
