import { constants } from 'node:fs';
import { open, readFile, rename } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import type { RawEvent } from '@reelstream/events';
import { makeFolder, syncFolder } from './durable.ts';
import { JournalWriteError } from './errors.ts';
import { formatJournal, formatLine, parseJournal, takeNote, withEvents } from './journal-lines.ts';
import type { JournalContents, JournalLine } from './journal-lines.ts';
import { journalFile } from './paths.ts';
import { isWantOfRoom } from './want-of-room.ts';

export type Journal = {
  readonly folder: string;
  /** What the disk held when it was opened; damage and cut tail are told there. */
  readonly opened: JournalContents;
  /** Every durable event, those of earlier lives first. */
  readonly events: readonly RawEvent[];
  /** Private state of the home, by name. */
  readonly notes: Readonly<Record<string, unknown>>;
  /**
   * Resolves once the events, and the notes with them, are durable, all or none. Appends at the same time share a sync.
   * Throws JournalWriteError.
   */
  append(events: readonly RawEvent[], notes?: Readonly<Record<string, unknown>>): Promise<void>;
  /** Keeps private state beside the events; durable when it resolves. The last of a name counts; null: there is none any more. */
  note(name: string, value: unknown): Promise<void>;
  /** The same, written now and synced with what is synced next: it survives the process, and perhaps not the power. */
  jot(name: string, value: unknown): Promise<void>;
  /**
   * Writes all of it anew, without what can't be read or counts no more, and with events that it had lost in their places; durable
   * when it resolves. Throws JournalWriteError.
   */
  renew(lost?: readonly RawEvent[]): Promise<void>;
  /** Waits for what is under way. */
  close(): Promise<void>;
};

type Waiting = {
  readonly lines: readonly JournalLine[];
  readonly durable: boolean;
  /** The journal is written anew, with these events. */
  readonly anew?: readonly RawEvent[];
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
};

class OpenJournal implements Journal {
  readonly folder: string;
  readonly opened: JournalContents;
  events: RawEvent[];
  readonly notes: Record<string, unknown>;
  #file: FileHandle;
  #size: number;
  #syncedSize: number;
  /** Whether the file's name is durable. */
  #isNamed = true;
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
  }

  async append(events: readonly RawEvent[], notes: Readonly<Record<string, unknown>> = {}): Promise<void> {
    const noted = Object.entries(notes).map(([name, value]): JournalLine => ({ kind: 'note', name, value }));
    // The notes first: where the write is cut, no event stands without what was noted with it.
    const lines = [...noted, ...events.map((event): JournalLine => ({ kind: 'event', event }))];
    await this.#add({ lines, durable: true });
  }

  async note(name: string, value: unknown): Promise<void> {
    await this.#add({ lines: [{ kind: 'note', name, value }], durable: true });
  }

  async jot(name: string, value: unknown): Promise<void> {
    await this.#add({ lines: [{ kind: 'note', name, value }], durable: false });
  }

  async renew(lost: readonly RawEvent[] = []): Promise<void> {
    await this.#add({ lines: [], durable: true, anew: lost });
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#writing;
    await this.#file.close();
  }

  #add(wanted: Omit<Waiting, 'resolve' | 'reject'>): Promise<void> {
    if (this.#closed) return Promise.reject(new JournalWriteError(`journal in ${this.folder} is closed`));

    return new Promise((resolve, reject) => {
      this.#waiting.push({ ...wanted, resolve, reject });
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
    const lost = round.flatMap(({ anew = [] }) => anew);
    if (round.some(({ anew }) => anew)) await this.#renew(withEvents(this.events, lost));
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

  /** The file is given up for another under the same name. */
  async #renew(events = this.events): Promise<void> {
    const path = join(this.folder, journalFile);
    const bytes = formatJournal({ events, notes: this.notes });
    const file = await open(`${path}.new`, 'w+', 0o644);
    try {
      await file.writeFile(bytes);
      await file.datasync();
      await rename(`${path}.new`, path);
    } catch (error) {
      await file.close();
      throw error;
    }
    await this.#file.close().catch(() => undefined);
    this.#file = file;
    this.#size = this.#syncedSize = bytes.length;
    this.#isNamed = false;
    this.events = events;
  }

  async #append(bytes: Buffer, durable: boolean): Promise<void> {
    let kept = this.#size;
    try {
      for (let done = 0; done < bytes.length;) {
        done += (await this.#file.write(bytes, done, bytes.length - done, kept + done)).bytesWritten;
      }
      this.#size = kept + bytes.length;
      if (!durable) return;
      // After a failed sync the kernel may call the lost pages clean, so all that was written since the last one is cut off.
      kept = this.#syncedSize;
      await this.#file.datasync();
      if (!this.#isNamed) await syncFolder(this.folder);
      this.#isNamed = true;
      this.#syncedSize = this.#size;
    } catch (error) {
      this.#size = kept;
      await this.#file.truncate(kept).catch(() => undefined);
      throw error;
    }
  }

  #take(lines: readonly JournalLine[]): void {
    for (const line of lines) {
      if (line.kind === 'event') this.events.push(line.event);
      else takeNote(this.notes, line);
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
