import { constants } from 'node:fs';
import { open, readFile, rename } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import type { RawEvent } from '@reelstream/events';
import { makeFolder, syncFolder } from './durable.ts';
import { JournalWriteError } from './errors.ts';
import { formatJournal, formatLine, parseJournal } from './journal-lines.ts';
import type { JournalContents, JournalLine } from './journal-lines.ts';
import { journalFile } from './paths.ts';
import { isWantOfRoom } from './want-of-room.ts';

export type Journal = {
  readonly folder: string;
  /** What the disk held when it was opened; damage and cut tail are told there. */
  readonly opened: JournalContents;
  /** Every durable event, those of earlier lives first. */
  readonly events: readonly RawEvent[];
  /** Up to which version the events need not be offered to the bus any more. */
  readonly releasedVersion: number;
  /** Private state of the home, by name. */
  readonly notes: Readonly<Record<string, unknown>>;
  /**
   * Resolves once the events, and the notes with them, are durable, all or none. Appends at the same time share a sync.
   * Throws JournalWriteError.
   */
  append(events: readonly RawEvent[], notes?: Readonly<Record<string, unknown>>): Promise<void>;
  /** Keeps private state beside the events; durable when it resolves. The last of a name counts. */
  note(name: string, value: unknown): Promise<void>;
  /** The same, written now and synced with what is synced next: it survives the process, and perhaps not the power. */
  jot(name: string, value: unknown): Promise<void>;
  /** Both databases have committed up to `version`. Not synced by itself. */
  release(version: number): Promise<void>;
  /** Waits for what is under way. */
  close(): Promise<void>;
};

type Waiting = {
  readonly lines: readonly JournalLine[];
  readonly durable: boolean;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
};

class OpenJournal implements Journal {
  readonly folder: string;
  readonly opened: JournalContents;
  readonly events: RawEvent[];
  readonly notes: Record<string, unknown>;
  #releasedVersion: number;
  #file: FileHandle;
  #size: number;
  #syncedSize: number;
  #waiting: Waiting[] = [];
  #writing: Promise<void> | undefined;
  #closed = false;

  constructor(folder: string, file: FileHandle, size: number, opened: JournalContents) {
    this.folder = folder;
    this.#file = file;
    this.#size = size;
    this.#syncedSize = size;
    this.opened = opened;
    this.events = [...opened.events];
    this.notes = { ...opened.notes };
    this.#releasedVersion = opened.releasedVersion;
  }

  get releasedVersion(): number {
    return this.#releasedVersion;
  }

  async append(events: readonly RawEvent[], notes: Readonly<Record<string, unknown>> = {}): Promise<void> {
    const noted = Object.entries(notes).map(([name, value]): JournalLine => ({ kind: 'note', name, value }));
    // The notes first: where the write is cut, no event stands without what was noted with it.
    await this.#add([...noted, ...events.map((event): JournalLine => ({ kind: 'event', event }))], true);
  }

  async note(name: string, value: unknown): Promise<void> {
    await this.#add([{ kind: 'note', name, value }], true);
  }

  async jot(name: string, value: unknown): Promise<void> {
    await this.#add([{ kind: 'note', name, value }], false);
  }

  async release(version: number): Promise<void> {
    if (version > this.#releasedVersion) await this.#add([{ kind: 'released', version }], false);
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#writing;
    await this.#file.close();
  }

  #add(lines: readonly JournalLine[], durable: boolean): Promise<void> {
    if (this.#closed) return Promise.reject(new JournalWriteError(`journal in ${this.folder} is closed`));

    return new Promise((resolve, reject) => {
      this.#waiting.push({ lines, durable, resolve, reject });
      this.#writing ??= this.#writeAll();
    });
  }

  /** Takes all that waits, in rounds of one write and one sync, until nothing is left. Never rejects. */
  async #writeAll(): Promise<void> {
    while (this.#waiting.length > 0) {
      const round = this.#waiting;
      this.#waiting = [];
      try {
        await this.#write(round);
        for (const { lines, resolve } of round) {
          this.#take(lines);
          resolve();
        }
      } catch (cause) {
        const error = new JournalWriteError(`journal in ${this.folder} can't be written: ${String(cause)}`, {
          cause,
        });
        for (const { reject } of round) reject(error);
      }
    }
    this.#writing = undefined;
  }

  async #write(round: readonly Waiting[]): Promise<void> {
    const bytes = Buffer.concat(round.flatMap(({ lines }) => lines.map(formatLine)));
    const durable = round.some((waiting) => waiting.durable);
    try {
      await this.#append(bytes, durable);
    } catch (error) {
      if (isWantOfRoom((error as NodeJS.ErrnoException).code)) throw error;
      await this.#renew().catch(() => {
        throw error;
      });
      await this.#append(bytes, durable);
    }
  }

  /** A file that can't be written where it lies is given up for another, under the same name and with the same lines. */
  async #renew(): Promise<void> {
    const path = join(this.folder, journalFile);
    const bytes = formatJournal({
      events: this.events,
      notes: this.notes,
      releasedVersion: this.#releasedVersion,
    });
    const file = await open(`${path}.new`, 'w+', 0o644);
    try {
      await file.writeFile(bytes);
      await file.datasync();
      await rename(`${path}.new`, path);
      await syncFolder(this.folder);
    } catch (error) {
      await file.close();
      throw error;
    }
    await this.#file.close().catch(() => undefined);
    this.#file = file;
    this.#size = this.#syncedSize = bytes.length;
  }

  async #append(bytes: Buffer, durable: boolean): Promise<void> {
    try {
      for (let done = 0; done < bytes.length;) {
        done += (await this.#file.write(bytes, done, bytes.length - done, this.#size + done)).bytesWritten;
      }
      this.#size += bytes.length;
      if (!durable) return;
      await this.#file.datasync();
      this.#syncedSize = this.#size;
    } catch (error) {
      // After a failed sync the kernel may call the lost pages clean, so the refused lines are cut off and a
      // later append writes new ones. Released marks that go with them are only repeated work.
      this.#size = this.#syncedSize;
      await this.#file.truncate(this.#syncedSize).catch(() => undefined);
      throw error;
    }
  }

  #take(lines: readonly JournalLine[]): void {
    for (const line of lines) {
      if (line.kind === 'event') this.events.push(line.event);
      else if (line.kind === 'note') this.notes[line.name] = line.value;
      else this.#releasedVersion = Math.max(this.#releasedVersion, line.version);
    }
  }
}

/**
 * Opens the journal in `folder` (absolute path), making folder and file, durably, where missing. A torn tail is cut;
 * `opened` says what. Throws Node's error where the folder can't be written.
 */
export const openJournal = async (folder: string): Promise<Journal> => {
  await makeFolder(folder);
  const file = await open(join(folder, journalFile), constants.O_RDWR | constants.O_CREAT, 0o644);
  try {
    const bytes = await file.readFile();
    const opened = parseJournal(bytes);
    const size = opened.tail?.atByte ?? bytes.length;
    if (opened.tail) await file.truncate(size);
    if (opened.tail) await file.datasync();
    if (bytes.length === 0) await syncFolder(folder);

    return new OpenJournal(folder, file, size, opened);
  } catch (error) {
    await file.close();
    throw error;
  }
};

/** Reads a journal without touching it. Damage is told, never thrown; a missing journal is an empty one. */
export const readJournal = async (folder: string): Promise<JournalContents> => {
  const bytes = await readFile(join(folder, journalFile)).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return Buffer.alloc(0);
    throw error;
  });

  return parseJournal(bytes);
};
