import { rm } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import { Chunk } from './chunk.ts';
import { LogStream } from './log-stream.ts';
import type { LogPlace } from './log-stream.ts';
import type { OpenSegment } from './segment-file.ts';
import { createSegment, currentBootId, nextSegmentNumber } from './segment-file.ts';
import {
  blockHeaderLength,
  blockKind,
  formatClock,
  segmentHeaderLength,
  writeBlockHeader,
} from './segment-format.ts';
import type { BlockOrigin, Clock } from './segment-format.ts';

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

/** Offsets are 32 bits. */
const lastOffset = 0xf000_0000;

/** Whose blocks tell of no stream. */
const nobody: BlockOrigin = {
  trackNumber: 0,
  session0: 0,
  session1: 0,
  session2: 0,
  session3: 0,
  ordinal: -1,
  segment: 0,
  offset: 0,
};

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
  #refuge: Buffer | undefined;
  #queue: Promise<boolean> = Promise.resolve(true);
  /** Written since its last sync. */
  #unsynced: OpenSegment | undefined;
  /** A segment whose sync has failed: what is written to it may never reach the disk, whatever its writes say. */
  #spoiled: OpenSegment | undefined;

  private constructor(options: SegmentLogOptions, segment: OpenSegment) {
    this.#options = options;
    this.#filling = new Chunk(segment, segmentHeaderLength);
    this.#writing = new Chunk(segment, segmentHeaderLength);
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
    return new LogStream(sessionId, trackNumber);
  }

  /**
   * Room for runs of frames: what is laid there, each with a gap before it, and appended within the turn of the loop needs no copying.
   * Where the disk has refused for too long it is room elsewhere.
   */
  place(bytes: number): LogPlace {
    const chunk = this.#filling;
    const { salt: seed } = chunk.segment;
    if (chunk.reserve(bytes))
      return { bytes: chunk.held.bytes, at: chunk.used, gap: blockHeaderLength, seed };
    if (!this.#refuge || this.#refuge.length < bytes) this.#refuge = Buffer.allocUnsafeSlow(bytes);

    return { bytes: this.#refuge, at: 0, gap: 0, seed };
  }

  /**
   * Takes a run of frames of one stream, `frames[from .. to]`; false where it can't be held (the disk has refused for too long). `crc`: the
   * run's CRC-32 by the seed of now, as int32, where that is known already.
   */
  append(stream: LogStream, frames: Buffer, from = 0, to = frames.length, crc?: number): boolean {
    const sum = crc ?? crc32(frames.subarray(from, to), this.#filling.segment.salt) | 0;
    const at = this.#block(blockKind.media, stream, frames, from, to, sum);
    if (at === undefined) return false;
    const { number, sessions } = this.#filling.segment;
    if (stream.segment !== number) sessions.add(stream.sessionId);
    stream.ordinal++;
    stream.segment = number;
    stream.offset = at;

    return true;
  }

  /** Writes down what the clocks say; to be called once a second. */
  anchor(): void {
    const clock = SegmentLog.#clock(this.#options, this.#bootId);
    const payload = formatClock(clock);
    const crc = crc32(payload, this.#filling.segment.salt) | 0;
    this.#clockOffset =
      this.#block(blockKind.clock, nobody, payload, 0, payload.length, crc) ?? this.#clockOffset;
  }

  /** Goes on in another segment, where the one that is written holds media of this session: so that it can be deleted. */
  leave(sessionId: string): void {
    if (!this.#filling.segment.sessions.has(sessionId)) return;
    this.#leave();
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
      this.#spoiled = segment;
      if (segment === this.#filling.segment) this.#leave();
    }
  }

  /** Writes, syncs and closes. What the disk refuses now is gone. */
  async close(): Promise<void> {
    await this.flush();
    await this.#finish(this.#filling.segment);
    await this.#next?.file.close();
    if (this.#next) await rm(this.#next.path, { force: true });
  }

  #leave(): void {
    this.#leaving = true;
    if (this.#next) this.anchor();
    else this.#prepareNext();
  }

  /** Appends a block; returns where it begins, or undefined where it can't be held. */
  #block(
    kind: number,
    origin: BlockOrigin,
    payload: Buffer,
    from: number,
    to: number,
    crc: number,
  ): number | undefined {
    const chunk = this.#filling;
    const { used, position, segment } = chunk;
    const body = used + blockHeaderLength;
    const end = body + to - from;
    const at = position + used;
    if (position + end > lastOffset || !chunk.reserve(end - used)) return undefined;
    const clockOffset = kind === blockKind.clock ? at : this.#clockOffset;
    const { bytes, view } = chunk.held;
    writeBlockHeader(view, used, segment.salt, kind, origin, clockOffset, to - from, crc);
    if (payload !== bytes) bytes.set(payload.subarray(from, to), body);
    // What was laid here before it has not all been kept.
    else if (from !== body) bytes.copyWithin(body, from, to);
    chunk.used = end;

    return at;
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
    const spare = this.#writing.held;
    this.#writing = filled;
    const isFull = this.#leaving || position >= this.#options.segmentBytes;
    const next = isFull ? this.#next : undefined;
    this.#filling = new Chunk(next ?? filled.segment, next ? segmentHeaderLength : position, spare);
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
          chunk.held.bytes,
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
    if (chunk.segment !== this.#spoiled) this.#succeed();
    chunk.empty();
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
      // One whose sync has failed before would only say so again, or say that it is well.
      if (segment !== this.#spoiled) await segment.file.datasync();
      await segment.file.close();
    } catch (error) {
      this.#fail(error as NodeJS.ErrnoException);
    }
    this.#options.onClosed({ path: segment.path, sessions: [...segment.sessions] });
  }
}
