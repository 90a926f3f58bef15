import { rm } from 'node:fs/promises';
import type { OpenSegment } from './segment-file.ts';
import { createSegment, currentBootId, nextSegmentNumber } from './segment-file.ts';
import {
  blockHeaderLength,
  blockKind,
  formatClock,
  segmentHeaderLength,
  sessionBytes,
  writeBlock,
} from './segment-format.ts';
import type { Clock, Pointer } from './segment-format.ts';

export type SegmentLogOptions = {
  /** Folder of all segments. */
  readonly segments: string;
  readonly worker: number;
  readonly epoch: number;
  /** A segment is closed at the first beat past this size. */
  readonly segmentBytes: number;
  /** ns since boot. */
  readonly monotonicNs: () => number;
  readonly wallMs: () => number;
  /** A closed segment changes no more. */
  readonly onClosed: (segment: { readonly path: string; readonly sessions: readonly string[] }) => void;
  /** Writing or syncing failed; said once. What is not written is kept and tried at the next flush, while it fits. */
  readonly onTrouble: (error: NodeJS.ErrnoException) => void;
  /** … and works again. */
  readonly onRecovered: () => void;
};

/** One stream's place in the log. */
export type LogStream = {
  readonly sessionId: string;
  readonly trackNumber: number;
  readonly session: Buffer;
  /** Its last block. */
  readonly head: { -readonly [K in keyof Pointer]: Pointer[K] };
  ordinal: number;
};

/** Blocks that go to disk in one write; `last` of its segment. */
type Chunk = { segment: OpenSegment; position: number; bytes: Buffer; used: number; last: boolean };

const firstChunkBytes = 256 * 1024;
/** Kept at most while the disk doesn't take it: 6 s of 1,000 calls. */
const longestChunkBytes = 128 * 1024 * 1024;
/** A chunk that grew past this is given back once written; a beat of 1,000 calls is 2 MB. */
const ordinaryChunkBytes = 8 * 1024 * 1024;
/** Offsets are 32 bits. */
const lastOffset = 0xf000_0000;

/** Whose blocks tell of no stream. */
const nobody = { trackNumber: 0, session: Buffer.alloc(16), head: { segment: 0, offset: 0 } };

const chunkAt = (segment: OpenSegment, position: number, bytes: Buffer): Chunk => ({
  segment,
  position,
  bytes,
  used: 0,
  last: false,
});

/** Appends runs of frames to segments. `append` only copies; `flush` writes; `sync` makes durable. */
export class SegmentLog {
  readonly #options: SegmentLogOptions;
  readonly #bootId = currentBootId();
  #filling: Chunk;
  #writing: Chunk;
  #next: OpenSegment | undefined;
  #opening = false;
  /** The segment that is written is to be closed, full or not. */
  #leaving = false;
  #troubled = false;
  #clockOffset = segmentHeaderLength;
  #queue: Promise<boolean> = Promise.resolve(true);
  /** Written since its last sync. */
  #unsynced: OpenSegment | undefined;

  private constructor(options: SegmentLogOptions, segment: OpenSegment) {
    this.#options = options;
    this.#filling = chunkAt(segment, segmentHeaderLength, Buffer.allocUnsafe(firstChunkBytes));
    this.#writing = chunkAt(segment, segmentHeaderLength, Buffer.allocUnsafe(firstChunkBytes));
    this.anchor();
  }

  /** Begins a new segment after those that are there. Throws Node's error where it can't be made. */
  static async open(options: SegmentLogOptions): Promise<SegmentLog> {
    const number = await nextSegmentNumber(options.segments, options.worker);
    const clock = SegmentLog.#clock(options, currentBootId());

    return new SegmentLog(options, await createSegment(options.segments, options.worker, number, clock));
  }

  static #clock({ monotonicNs, wallMs, epoch }: SegmentLogOptions, bootId: string): Clock {
    return {
      monotonicNs: BigInt(monotonicNs()),
      wallNs: BigInt(Math.round(wallMs())) * 1_000_000n,
      epoch: BigInt(epoch),
      bootId,
    };
  }

  stream(sessionId: string, trackNumber: number): LogStream {
    return {
      sessionId,
      trackNumber,
      session: sessionBytes(sessionId),
      head: { segment: 0, offset: 0 },
      ordinal: 0,
    };
  }

  /** Takes a run of frames of one stream; false where it can't be held (the disk has refused for too long). */
  append(stream: LogStream, frames: Buffer): boolean {
    const at = this.#block(blockKind.media, stream, stream.ordinal + 1, frames);
    if (at === undefined) return false;
    stream.ordinal++;
    stream.head.segment = this.#filling.segment.number;
    stream.head.offset = at;
    this.#filling.segment.sessions.add(stream.sessionId);

    return true;
  }

  /** Writes down what the clocks say; to be called once a second. */
  anchor(): void {
    const clock = SegmentLog.#clock(this.#options, this.#bootId);
    this.#clockOffset = this.#block(blockKind.clock, nobody, 0, formatClock(clock)) ?? this.#clockOffset;
  }

  /** Goes on in another segment, where the one that is written holds media of this session: so that it can be deleted. */
  leave(sessionId: string): void {
    if (!this.#filling.segment.sessions.has(sessionId)) return;
    this.#leaving = true;
    if (this.#next) this.anchor();
    else this.#prepareNext();
  }

  /** Writes what was appended; resolves with false where the disk refused and it is still kept. */
  flush(): Promise<boolean> {
    this.#queue = this.#queue.then(() => this.#write());

    return this.#queue;
  }

  /** Makes durable what was written. */
  async sync(): Promise<void> {
    const segment = this.#unsynced;
    if (!segment) return;
    this.#unsynced = undefined;
    try {
      await segment.file.datasync();
    } catch (error) {
      this.#fail(error as NodeJS.ErrnoException);
    }
  }

  /** Writes, syncs and closes. What the disk refuses now is gone. */
  async close(): Promise<void> {
    await this.flush();
    await this.#finish(this.#filling.segment);
    await this.#next?.file.close();
    if (this.#next) await rm(this.#next.path, { force: true });
  }

  /** Appends a block; returns where it begins, or undefined where it can't be held. */
  #block(
    kind: number,
    { trackNumber, session, head }: Pick<LogStream, 'trackNumber' | 'session' | 'head'>,
    ordinal: number,
    payload: Buffer,
  ): number | undefined {
    const chunk = this.#filling;
    const length = blockHeaderLength + payload.length;
    const at = chunk.position + chunk.used;
    if (at + length > lastOffset || !this.#reserve(chunk, length)) return undefined;
    const clockOffset = kind === blockKind.clock ? at : this.#clockOffset;
    const block = { kind, trackNumber, ordinal, previous: head, session, clockOffset };
    chunk.used = writeBlock(chunk.bytes, chunk.used, chunk.segment.salt, block, payload);

    return at;
  }

  #reserve(chunk: Chunk, length: number): boolean {
    let size = chunk.bytes.length;
    while (size < chunk.used + length) size *= 2;
    if (size > longestChunkBytes) return false;
    if (size > chunk.bytes.length) {
      const larger = Buffer.allocUnsafe(size);
      chunk.bytes.copy(larger, 0, 0, chunk.used);
      chunk.bytes = larger;
    }

    return true;
  }

  /** First what an earlier write left over, then what was appended since. Never rejects. */
  async #write(): Promise<boolean> {
    if (this.#writing.used > 0 && !(await this.#writeChunk(this.#writing))) return false;
    const filled = this.#filling;
    if (filled.used === 0) return true;
    this.#swap(filled);
    const written = await this.#writeChunk(filled);
    this.#prepareNext();

    return written;
  }

  /** Lets a new chunk be filled while this one is written: in the next segment, where this one is full. */
  #swap(filled: Chunk): void {
    const position = filled.position + filled.used;
    const spare = this.#writing.bytes;
    this.#writing = filled;
    const isFull = this.#leaving || position >= this.#options.segmentBytes;
    const next = isFull ? this.#next : undefined;
    this.#filling = chunkAt(next ?? filled.segment, next ? segmentHeaderLength : position, spare);
    if (!next) return;
    filled.last = true;
    this.#next = undefined;
    this.#leaving = false;
    this.anchor();
  }

  async #writeChunk(chunk: Chunk): Promise<boolean> {
    try {
      for (let done = 0; done < chunk.used;) {
        const { bytesWritten } = await chunk.segment.file.write(
          chunk.bytes,
          done,
          chunk.used - done,
          chunk.position + done,
        );
        done += bytesWritten;
      }
    } catch (error) {
      this.#fail(error as NodeJS.ErrnoException);

      return false;
    }
    this.#succeed();
    chunk.used = 0;
    if (chunk.bytes.length > ordinaryChunkBytes) chunk.bytes = Buffer.allocUnsafe(firstChunkBytes);
    this.#unsynced = chunk.segment;
    if (chunk.last) await this.#finish(chunk.segment);

    return true;
  }

  /** The next segment is opened before it is needed: no write ever waits for an open. */
  #prepareNext(): void {
    const { position, used, segment } = this.#filling;
    const isFilling = this.#leaving || position + used >= this.#options.segmentBytes / 2;
    if (this.#opening || this.#next || !isFilling) return;
    this.#opening = true;
    const { segments, worker } = this.#options;
    createSegment(segments, worker, segment.number + 1, SegmentLog.#clock(this.#options, this.#bootId))
      .then(
        (next) => {
          this.#next = next;
          // Without streams nobody else writes: what follows closes the segment that is left.
          if (this.#leaving) this.anchor();
        },
        (error: NodeJS.ErrnoException) => this.#fail(error),
      )
      .finally(() => {
        this.#opening = false;
      });
  }

  #fail(error: NodeJS.ErrnoException): void {
    if (!this.#troubled) this.#options.onTrouble(error);
    this.#troubled = true;
  }

  #succeed(): void {
    if (this.#troubled) this.#options.onRecovered();
    this.#troubled = false;
  }

  async #finish(segment: OpenSegment): Promise<void> {
    if (this.#unsynced === segment) this.#unsynced = undefined;
    try {
      await segment.file.datasync();
      await segment.file.close();
    } catch (error) {
      this.#fail(error as NodeJS.ErrnoException);
    }
    this.#options.onClosed({ path: segment.path, sessions: [...segment.sessions] });
  }
}
