import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { createFile, isThere, syncFolder } from './durable.ts';
import { journalFile, removedFile } from './paths.ts';

/** Whether the media of a recording folder (absolute path) was taken away, or is being so. */
export const isRemoved = (folder: string): Promise<boolean> => isThere(join(folder, removedFile));

/**
 * Takes everything out of a recording folder (absolute path) but its journal. `removed.json` comes first: from then on
 * nobody takes the folder for a recording, whatever dies meanwhile. Durable when it resolves; twice changes nothing.
 */
export const removeRecording = async (folder: string, removedAt: string): Promise<void> => {
  const text = `${JSON.stringify({ removedAt })}\n`;
  await createFile(join(folder, removedFile), Buffer.from(text)).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error;
  });
  const kept = new Set([journalFile, removedFile]);
  const names = (await readdir(folder)).filter((name) => !kept.has(name));
  await Promise.all(names.map((name) => rm(join(folder, name), { recursive: true, force: true })));
  await syncFolder(folder);
};
