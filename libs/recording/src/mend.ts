import { join } from 'node:path';
import type { RawEvent } from '@reelstream/events';
import { makeFolder, replaceFile } from './durable.ts';
import { readJournal } from './journal.ts';
import { formatLine } from './journal-lines.ts';
import type { JournalLine } from './journal-lines.ts';
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
  const byVersion = new Map([...before.events, ...events].map((event) => [event.version, event]));
  const lines: readonly JournalLine[] = [
    ...Object.entries(before.notes).map(([name, value]): JournalLine => ({ kind: 'note', name, value })),
    ...[...byVersion.values()]
      .toSorted((a, b) => a.version - b.version)
      .map((event): JournalLine => ({ kind: 'event', event })),
    ...(before.releasedVersion > 0
      ? [{ kind: 'released', version: before.releasedVersion } satisfies JournalLine]
      : []),
  ];
  await replaceFile(join(folder, journalFile), Buffer.concat(lines.map(formatLine)));
};

/** Puts the manifest of a sealed folder (absolute path) back. Durable when it resolves. */
export const mendManifest = (folder: string, manifest: Manifest): Promise<void> =>
  replaceFile(join(folder, manifestFile), Buffer.from(formatManifest(manifest)));
