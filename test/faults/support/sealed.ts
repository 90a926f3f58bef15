import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { PublicSession } from '@reelstream/events';
import { isThere, journalFile, listRecordings, manifestFile, recordingFolder } from '@reelstream/recording';
import { waitFor } from '@reelstream/testing';
import type { System } from '../../support/system.ts';

export type SealedFolder = { readonly folder: string; readonly sessionId: string };

/** The sealed recordings of a system, by the Call-ID of their call. */
export class Sealed {
  readonly #root: string;
  /** Sessions whose call is known. */
  readonly #known = new Set<string>();
  readonly #folders = new Map<string, string>();
  #looking: Promise<void> | undefined;

  constructor(dataDir: string) {
    this.#root = join(dataDir, 'recordings');
  }

  /** Rejects where the call has no sealed recording in time. */
  async find(callId: string, deadlineMs = 60_000): Promise<SealedFolder> {
    const look = async (): Promise<string | undefined> => {
      if (!this.#folders.has(callId)) await (this.#looking ??= this.#look());
      const folder = this.#folders.get(callId);

      return folder !== undefined && (await isThere(join(folder, manifestFile))) ? folder : undefined;
    };
    const folder = await waitFor(look, {
      deadlineMs,
      everyMs: 500,
      describe: `${callId} has no recording`,
    });

    return { folder, sessionId: basename(folder) };
  }

  async #look(): Promise<void> {
    try {
      for await (const sessionId of listRecordings(this.#root)) {
        if (this.#known.has(sessionId)) continue;
        const folder = join(this.#root, recordingFolder(sessionId));
        // One that has just begun may not have it yet.
        const journal = await readFile(join(folder, journalFile), 'utf8').catch(() => '');
        const callId = /"callId":"([^"]+)"/.exec(journal)?.[1];
        if (callId === undefined) continue;
        this.#known.add(sessionId);
        this.#folders.set(callId, folder);
      }
    } finally {
      this.#looking = undefined;
    }
  }
}

/** What the API says of a session once it has ended. */
export const closedSession = (
  system: System,
  sessionId: string,
  deadlineMs = 60_000,
): Promise<PublicSession> =>
  waitFor(
    async () => {
      const session = await system.json<PublicSession>(`/sessions/${sessionId}`).catch(() => undefined);

      return session?.endedAt === undefined ? undefined : session;
    },
    { deadlineMs, everyMs: 500, describe: `${sessionId} has no end in the API` },
  );
