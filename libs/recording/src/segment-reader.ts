import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import {
  blockHeaderLength,
  blockKind,
  blockMagic,
  parseBlockHeader,
  parseClock,
  parseSegmentHeader,
  segmentHeaderLength,
} from './segment-format.ts';
import type { BlockHeader, Clock, SegmentName } from './segment-format.ts';
import { SpareBuffers } from './spare-buffers.ts';

export type Block = BlockHeader & {
  readonly offset: number;
  /** Only valid until the next read from the same segment, or until that is closed. */
  readonly payload: Buffer;
};

/** A stretch of a segment that can't be read; of which stream, where its block's header is whole. */
export type SegmentDamage = {
  readonly atByte: number;
  readonly bytes: number;
  readonly stream?: { readonly session: Buffer; readonly trackNumber: number };
};

const windowBytes = 256 * 1024;
/** Read at once where reads don't follow each other: a block of speech fits. */
const randomReadBytes = 4 * 1024;
/** A read that begins at most this far behind the window goes on from it. */
const nearBytes = 64 * 1024;
const mostSpare = 4;
const spare = new SpareBuffers(windowBytes, mostSpare);

const streamOf = ({ session, trackNumber }: BlockHeader) => ({ session, trackNumber });

/**
 * Reads one segment, blocking: for threads that may wait. No cut and no flipped bit makes it throw; what it returns
 * has passed its checksums. Only `open` throws, Node's error.
 */
export class SegmentReader implements Disposable {
  readonly name: SegmentName;
  readonly size: number;
  readonly #fd: number;
  #window = spare.take();
  #windowAt = 0;
  #windowLength = 0;
  #clock: Clock | undefined;

  private constructor(fd: number, name: SegmentName) {
    this.#fd = fd;
    this.name = name;
    this.size = fstatSync(fd).size;
  }

  static open(path: string, name: SegmentName): SegmentReader {
    return new SegmentReader(openSync(path, 'r'), name);
  }

  /** The clock at the segment's beginning: from the header or, where that is damaged, from the first clock block. */
  get firstClock(): Clock | undefined {
    this.#clock ??=
      parseSegmentHeader(this.#bytes(0, segmentHeaderLength), this.name.salt) ?? this.#anyClock();

    return this.#clock;
  }

  /** The clock that was read last before `block` was written, or else the segment's first. */
  clockOf(block: BlockHeader): Clock | undefined {
    const clock = this.blockAt(block.clockOffset);

    return (clock?.kind === blockKind.clock ? parseClock(clock.payload) : undefined) ?? this.firstClock;
  }

  /** The block at `offset`; undefined where there is no whole one. */
  blockAt(offset: number): Block | undefined {
    const header = this.#headerAt(offset);
    if (!header) return undefined;
    const payload = this.#bytes(offset + blockHeaderLength, header.payloadLength);
    if (payload.length < header.payloadLength || crc32(payload, this.name.salt) !== header.payloadCrc)
      return undefined;

    return { ...header, offset, payload };
  }

  /** Visits every whole block in order, going on behind damage; returns what it could not read. */
  scan(visit: (block: Block) => void): readonly SegmentDamage[] {
    const damage: SegmentDamage[] = [];
    let at = segmentHeaderLength;
    while (at < this.size) {
      const block = this.blockAt(at);
      if (block) {
        visit(block);
        at += blockHeaderLength + block.payloadLength;
      } else {
        const bad = this.#damageAt(at);
        damage.push(bad);
        at += bad.bytes;
      }
    }

    return damage;
  }

  [Symbol.dispose](): void {
    closeSync(this.#fd);
    spare.giveBack(this.#window);
    this.#window = Buffer.alloc(0);
    this.#windowLength = 0;
  }

  #headerAt(offset: number): BlockHeader | undefined {
    return parseBlockHeader(this.#bytes(offset, blockHeaderLength), this.name.salt);
  }

  /** How far the damage at `at` reaches: its block where the header is whole, else up to the next whole header. */
  #damageAt(at: number): SegmentDamage {
    const header = this.#headerAt(at);
    if (header && at + blockHeaderLength + header.payloadLength <= this.size) {
      return { atByte: at, bytes: blockHeaderLength + header.payloadLength, stream: streamOf(header) };
    }
    const next = this.#nextHeader(at + 1);

    return { atByte: at, bytes: next - at, ...(header && { stream: streamOf(header) }) };
  }

  #nextHeader(from: number): number {
    for (let at = from; at < this.size;) {
      const bytes = this.#bytes(at, Math.min(windowBytes, this.size - at));
      if (bytes.length === 0) break;
      const found = this.#headerIn(bytes);
      if (found !== undefined) return at + found;
      // A header may lie across the edge of the window.
      at += Math.max(1, bytes.length - blockHeaderLength + 1);
    }

    return this.size;
  }

  #headerIn(bytes: Buffer): number | undefined {
    for (let at = bytes.indexOf(blockMagic); at >= 0; at = bytes.indexOf(blockMagic, at + 1)) {
      if (parseBlockHeader(bytes.subarray(at), this.name.salt)) return at;
    }

    return undefined;
  }

  #anyClock(): Clock | undefined {
    let clock: Clock | undefined;
    this.scan((block) => {
      clock ??= block.kind === blockKind.clock ? parseClock(block.payload) : undefined;
    });

    return clock;
  }

  /** At most `length` bytes at `offset`, from a window that moves ahead with sequential reads. */
  #bytes(offset: number, length: number): Buffer {
    const inWindow = offset >= this.#windowAt && offset + length <= this.#windowAt + this.#windowLength;
    if (!inWindow) this.#move(offset, length);
    const start = offset - this.#windowAt;

    return this.#window.subarray(start, Math.min(start + length, this.#windowLength));
  }

  #move(offset: number, length: number): void {
    if (length > this.#window.length) this.#window = Buffer.allocUnsafe(length);
    const end = this.#windowAt + this.#windowLength;
    const follows = offset >= this.#windowAt && offset <= end + nearBytes;
    const wanted = follows ? this.#window.length : Math.max(length, randomReadBytes);
    this.#windowAt = offset;
    this.#windowLength = 0;
    while (this.#windowLength < wanted) {
      const got = this.#read(offset + this.#windowLength, wanted - this.#windowLength);
      if (got === 0) return;
      this.#windowLength += got;
    }
  }

  #read(position: number, length: number): number {
    try {
      return readSync(this.#fd, this.#window, this.#windowLength, length, position);
    } catch {
      // A sector that can't be read (EIO) is damage like any other: what lies behind it is found again.
      const zeros = Math.min(4_096, length, Math.max(0, this.size - position));
      this.#window.fill(0, this.#windowLength, this.#windowLength + zeros);

      return zeros;
    }
  }
}
