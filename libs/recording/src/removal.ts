import { existsSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { isThere } from './durable.ts';
import { replaceFileSync, syncFolderSync } from './durable-sync.ts';
import { journalFile, manifestFile, removedFile } from './paths.ts';
import { isWantOfRoom } from './want-of-room.ts';

/** Whether the media of a recording folder (absolute path) was taken away, or is being so. */
export const isRemoved = (folder: string): Promise<boolean> => isThere(join(folder, removedFile));

const mark = (folder: string, removedAt: string): void => {
  if (existsSync(join(folder, removedFile))) return;
  try {
    replaceFileSync(folder, removedFile, `${JSON.stringify({ removedAt })}\n`);
  } catch (error) {
    if (!isWantOfRoom((error as NodeJS.ErrnoException).code)) throw error;
    // A full disk is freed by removing: what is there already becomes the mark, which takes no room.
    renameSync(join(folder, manifestFile), join(folder, removedFile));
    syncFolderSync(folder);
  }
};

/**
 * Takes everything out of a recording folder (absolute path) but its journal. `removed.json` comes first: from then on
 * nobody takes the folder for a recording, whatever dies meanwhile. Blocking; durable when it returns; twice changes nothing.
 */
export const removeRecording = (folder: string, removedAt: string): void => {
  mark(folder, removedAt);
  const kept = new Set([journalFile, removedFile]);
  for (const name of readdirSync(folder))
    if (!kept.has(name)) rmSync(join(folder, name), { recursive: true, force: true });
  syncFolderSync(folder);
};
