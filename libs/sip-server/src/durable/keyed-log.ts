import type { FileHandle } from 'node:fs/promises';
import { mkdir, open, readFile, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { LogContent } from './record.ts';
import { formatRecord, readRecords } from './record.ts';

/** Values under keys, somewhere safe. */
export type Saver<T> = {
  put(key: string, value: T): void;
  delete(key: string): void;
  /** Calls `then` once all that was put and deleted so far is safe; at once if it is already. */
  whenSynced(then: () => void): void;
  /** What was put last could not be saved; it is tried again once a second. */
  readonly isTroubled: boolean;
};

/** Keeps nothing. */
export const nothingSaved: Saver<unknown> = {
  put: () => {},
  delete: () => {},
  whenSynced: (then) => then(),
  isTroubled: false,
};

export type KeyedLogOptions = {
  readonly path: string;
  /** What is saved outlives the process in any case; `power`, the default, also a loss of power, for the price of a sync. */
  readonly outlives?: 'process' | 'power';
  /** The disk let us down; work goes on unsaved, and saving is tried again. */
  readonly failed: (error: unknown) => void;
  /** All is saved again. */
  readonly mended?: () => void;
  /** A log is compacted when it has grown by this, and to three times its size; default 1 MiB. */
  readonly slackBytes?: number;
};

/** Reads the log at this path; an absent one is empty. Throws the system's error where it can't be read. */
export async function readLog<T>(path: string): Promise<LogContent<T>> {
  try {
    return readRecords<T>(await readFile(path));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    return { live: new Map(), damaged: 0 };
  }
}

/**
 * An append-only log of values under keys. Changes of the time that one sync takes share the next one (group commit); a
 * key that changed several times is written once. Every life begins with a compacted log.
 */
export class KeyedLog<T> implements Saver<T>, AsyncDisposable {
  readonly #options: KeyedLogOptions;
  #changed = new Map<string, T | null>();
  #waiting: (() => void)[] = [];
  #file: FileHandle | undefined;
  /** Size after the last compaction, and what has been appended since. */
  #compactBytes = 0;
  #appendedBytes = 0;
  #running: Promise<void> | undefined;
  /** All values that are alive now: what a compacted log consists of. Undefined before the first one, and at last. */
  #live: (() => Iterable<readonly [string, T]>) | undefined;
  #retryAt = 0;
  #isTroubled = false;
  /** Whether anything has changed or not: until a log is whole again. */
  #retry: NodeJS.Timeout | undefined;

  constructor(options: KeyedLogOptions) {
    this.#options = options;
  }

  /** Writes the first, compacted log in place of what was there; until then all waits. Rejects with the system's error. */
  async begin(live: () => Iterable<readonly [string, T]>): Promise<void> {
    await this.#compact(live);
    this.#live = live;
    this.#run();
  }

  put(key: string, value: T): void {
    this.#changed.set(key, value);
    this.#run();
  }

  delete(key: string): void {
    this.#changed.set(key, null);
    this.#run();
  }

  whenSynced(then: () => void): void {
    if (this.#live !== undefined && this.#running === undefined) return then();
    this.#waiting.push(then);
    return undefined;
  }

  get isTroubled(): boolean {
    return this.#isTroubled;
  }

  /** What has changed is written before it resolves, and nothing after. */
  async [Symbol.asyncDispose](): Promise<void> {
    while (this.#running !== undefined) await this.#running;
    clearTimeout(this.#retry);
    this.#live = undefined;
    await this.#file?.close();
    this.#file = undefined;
  }

  get #syncs(): boolean {
    return this.#options.outlives !== 'process';
  }

  get #isPending(): boolean {
    return this.#changed.size > 0 || this.#waiting.length > 0;
  }

  #run(): void {
    if (this.#live === undefined || this.#running !== undefined || !this.#isPending) return;
    this.#running = this.#saveAll().finally(() => {
      this.#running = undefined;
      this.#run();
    });
  }

  async #saveAll(): Promise<void> {
    // The changes of one turn of the event loop belong together.
    await new Promise(setImmediate);
    while (this.#isPending) {
      const changed = this.#changed;
      const waiting = this.#waiting;
      this.#changed = new Map();
      this.#waiting = [];
      await this.#save(changed);
      for (const then of waiting) then();
    }
  }

  /** Never rejects: who waits goes on, saved or not, for a call is worth more than what is known of it. */
  async #save(changed: ReadonlyMap<string, T | null>): Promise<void> {
    const live = this.#live;
    if (live === undefined || performance.now() < this.#retryAt) return;
    const most = (this.#options.slackBytes ?? DEFAULT_SLACK_BYTES) + 2 * this.#compactBytes;
    try {
      if (this.#file === undefined || this.#appendedBytes > most) await this.#compact(live);
      else await this.#append(this.#file, changed);
      if (this.#isTroubled) this.#mend();
    } catch (error) {
      // What of it has reached the disk is unknown: only a whole new log is sure.
      await this.#file?.close().catch(() => {});
      this.#file = undefined;
      this.#retryAt = performance.now() + RETRY_AFTER_MS;
      this.#isTroubled = true;
      clearTimeout(this.#retry);
      this.#retry = setTimeout(() => this.#tryAgain(), RETRY_AFTER_MS + 1).unref();
      this.#options.failed(error);
    }
  }

  #mend(): void {
    this.#isTroubled = false;
    this.#options.mended?.();
  }

  #tryAgain(): void {
    this.#waiting.push(() => {});
    this.#run();
  }

  async #append(file: FileHandle, changed: ReadonlyMap<string, T | null>): Promise<void> {
    const bytes = Buffer.concat([...changed].map(formatRecord));
    await file.appendFile(bytes);
    if (this.#syncs) await file.datasync();
    this.#appendedBytes += bytes.length;
  }

  /** Values that change meanwhile are appended afterwards. */
  async #compact(live: () => Iterable<readonly [string, T]>): Promise<void> {
    const { path } = this.#options;
    await mkdir(dirname(path), { recursive: true });
    const fresh = await open(`${path}.new`, 'w', 0o600);
    try {
      this.#compactBytes = await writeInPieces(fresh, live());
      if (this.#syncs) await fresh.datasync();
      await rename(`${path}.new`, path);
      if (this.#syncs) await syncFolder(dirname(path));
    } catch (error) {
      await fresh.close();
      throw error;
    }
    await this.#file?.close();
    this.#file = fresh;
    this.#appendedBytes = 0;
  }
}

/** A few records at a time, so that thousands of them don't hold up the messages of the meantime. */
async function writeInPieces<T>(file: FileHandle, live: Iterable<readonly [string, T]>): Promise<number> {
  let pieces: Buffer[] = [];
  let total = 0;
  const write = async (): Promise<void> => {
    const bytes = Buffer.concat(pieces);
    pieces = [];
    total += bytes.length;
    await file.appendFile(bytes);
  };
  for (const entry of live) {
    pieces.push(formatRecord(entry));
    if (pieces.length === PIECE_RECORDS) await write();
  }
  await write();
  return total;
}

/** A rename is safe once its folder is. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

const DEFAULT_SLACK_BYTES = 1024 * 1024;
const PIECE_RECORDS = 100;
const RETRY_AFTER_MS = 1000;
