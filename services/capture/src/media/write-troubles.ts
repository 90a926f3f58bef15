import { setTimeout as sleep } from 'node:timers/promises';
import { isWantOfRoom } from '@reelstream/recording';
import { tryToWrite } from '../adapters/disk.ts';
import type { RecorderEvent } from './types.ts';

export type WriteTroublesOptions = {
  /** Where the threads write their segments. */
  readonly folder: string;
  /** Sessions whose media a thread holds. */
  readonly sessionsAt: (worker: number) => readonly string[];
  readonly say: (event: Extract<RecorderEvent, { readonly kind: 'write-given-up' }>) => void;
  /** Puts another thread in the place of this one, with a file of its own. */
  readonly replace: (worker: number, error: Error) => Promise<void>;
};

const lookEveryMs = 1_000;
/** So many looks, and so many of the last at which the folder could be written while the thread could not. */
const looksBeforeGivingUp = 3;
const looksBeforeReplacing = 2;

/**
 * Threads that can't write. After some seconds their sessions are given up. A thread whose file is broken, while others in
 * that folder can be written, is replaced: its file is not going to get better, and the next has one of its own.
 */
export class WriteTroubles implements Disposable {
  readonly #options: WriteTroublesOptions;
  readonly #now = new Map<number, AbortController>();

  constructor(options: WriteTroublesOptions) {
    this.#options = options;
  }

  /** Of a thread that is in trouble already nothing follows. */
  began(trouble: { readonly worker: number; readonly code: string; readonly detail: string }): void {
    if (this.#now.has(trouble.worker)) return;
    const over = new AbortController();
    this.#now.set(trouble.worker, over);
    void this.#follow(trouble, over.signal);
  }

  over(worker: number): void {
    this.#now.get(worker)?.abort();
    this.#now.delete(worker);
  }

  [Symbol.dispose](): void {
    for (const worker of this.#now.keys()) this.over(worker);
  }

  async #follow(
    { worker, code, detail }: { readonly worker: number; readonly code: string; readonly detail: string },
    over: AbortSignal,
  ): Promise<void> {
    const { folder, say, sessionsAt, replace } = this.#options;
    // For want of room the thread waits, and loses nothing of what it holds.
    const isBroken = !isWantOfRoom(code);
    let writable = 0;
    for (let look = 1; ; look++) {
      await sleep(lookEveryMs, undefined, { signal: over, ref: false }).catch(() => undefined);
      if (over.aborted) return;
      if (look === looksBeforeGivingUp)
        say({ kind: 'write-given-up', worker, sessions: sessionsAt(worker), detail });
      writable = isBroken && (await tryToWrite(folder)) === undefined ? writable + 1 : 0;
      if (over.aborted) return;
      if (look >= looksBeforeGivingUp && writable >= looksBeforeReplacing)
        return replace(worker, new Error(`it could not write: ${detail}`));
    }
  }
}
