import type { Dirent } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { PublicSession } from '@reelstream/events';
import { waitFor } from '@reelstream/testing';
import type { System } from '../../support/system.ts';

export type SealedFolder = { readonly folder: string; readonly sessionId: string };

/** The sealed recordings of a system, by the Call-ID of their call. */
export class Sealed {
  readonly #root: string;
  readonly #seen = new Set<string>();
  readonly #folders = new Map<string, string>();
  #looking: Promise<void> | undefined;

  constructor(dataDir: string) {
    this.#root = join(dataDir, 'recordings');
  }

  /** Rejects where the call has no sealed recording in time. */
  async find(callId: string, deadlineMs = 60_000): Promise<SealedFolder> {
    const look = async (): Promise<string | undefined> => {
      if (!this.#folders.has(callId)) await (this.#looking ??= this.#look());

      return this.#folders.get(callId);
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
      for (const { name, parentPath } of await this.#entries()) {
        if (name !== 'manifest.json' || this.#seen.has(parentPath)) continue;
        this.#seen.add(parentPath);
        const journal = await readFile(join(parentPath, 'journal.ndjson'), 'utf8');
        const callId = /"callId":"([^"]+)"/.exec(journal)?.[1];
        if (callId !== undefined) this.#folders.set(callId, parentPath);
      }
    } finally {
      this.#looking = undefined;
    }
  }

  /** A folder that is removed while it is read has to be read another time. */
  async #entries(): Promise<Dirent[]> {
    try {
      return await readdir(this.#root, { recursive: true, withFileTypes: true });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
      throw error;
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
