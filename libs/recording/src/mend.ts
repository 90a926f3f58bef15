import { join } from 'node:path';
import type { RawEvent } from '@reelstream/events';
import { makeFolder, replaceFile } from './durable.ts';
import { readJournal } from './journal.ts';
import { formatJournal, withEvents } from './journal-lines.ts';
import { formatManifest } from './manifest.ts';
import type { Manifest } from './manifest.ts';
import { journalFile, manifestFile } from './paths.ts';

/**
 * Writes the journal in `folder` (absolute path) anew: with these events, each in place of whatever was there of its version, in the
 * order of versions, and without what could not be read. Made where there is none. Durable when it resolves, and until then
 * the old one stands. Nobody may have the journal open.
 */
export const mendJournal = async (folder: string, events: readonly RawEvent[]): Promise<void> => {
  await makeFolder(folder);
  const before = await readJournal(folder);
  const mended = formatJournal({ ...before, events: withEvents(before.events, events) });
  await replaceFile(join(folder, journalFile), mended);
};

/** Puts the manifest of a sealed folder (absolute path) back. Durable when it resolves. */
export const mendManifest = (folder: string, manifest: Manifest): Promise<void> =>
  replaceFile(join(folder, manifestFile), Buffer.from(formatManifest(manifest)));
