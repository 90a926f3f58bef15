import { join } from 'node:path';
import { isRemoved, recordingFolder } from '@reelstream/recording';
import type { Logger } from '@reelstream/service';
import type { FileCache } from './cache.ts';

export type ForgottenOptions = {
  readonly recordingsDir: string;
  /** Its keys begin with the id of a session and a dot. */
  readonly cache: Pick<FileCache, 'keys' | 'remove'>;
  readonly log: Logger;
  /** Default 60,000. */
  readonly sweepIntervalMs?: number;
};

/**
 * Sessions of which nothing may be served any more. We are told so when one is deleted, its home being there or not; the
 * folder says it later, and for good. Exports of sessions whose media is gone are cleared away, also after a restart.
 */
export class Forgotten implements Disposable {
  readonly #options: ForgottenOptions;
  readonly #sessions = new Set<string>();
  readonly #timer: NodeJS.Timeout;

  constructor(options: ForgottenOptions) {
    this.#options = options;
    this.#timer = setInterval(() => void this.sweep(), options.sweepIntervalMs ?? 60_000);
    void this.sweep();
  }

  has(sessionId: string): boolean {
    return this.#sessions.has(sessionId.toLowerCase());
  }

  /** Serves nothing more of a session from now on; what was made of it is gone when it resolves. */
  async forget(sessionId: string): Promise<void> {
    this.#sessions.add(sessionId.toLowerCase());
    await this.clear(sessionId);
  }

  /** What was made of a session is gone when it resolves, and can be made again, as long as its media is there. */
  async clear(sessionId: string): Promise<void> {
    const { cache } = this.#options;
    const keys = (await cache.keys()).filter((key) => key.startsWith(`${sessionId.toLowerCase()}.`));
    await Promise.all(keys.map((key) => cache.remove(key)));
  }

  /** Clears what should not be there, whoever died meanwhile. Never rejects. */
  async sweep(): Promise<void> {
    try {
      const made = (await this.#options.cache.keys()).map((key) => key.split('.', 1)[0] ?? '');
      for (const id of new Set([...made, ...this.#sessions])) {
        const isGone = await this.#isGone(id);
        if (isGone || this.#sessions.has(id)) await this.clear(id);
        // From here on the folder says it.
        if (isGone) this.#sessions.delete(id);
      }
    } catch (error) {
      this.#options.log.warn({ error }, 'exports of deleted sessions could not be cleared away');
    }
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  async #isGone(id: string): Promise<boolean> {
    try {
      return await isRemoved(join(this.#options.recordingsDir, recordingFolder(id)));
    } catch {
      // The name of no session: none of ours.
      return false;
    }
  }
}
