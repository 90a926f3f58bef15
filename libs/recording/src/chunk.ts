import type { OpenSegment } from './segment-file.ts';

const firstBytes = 256 * 1024;
/** Kept at most while the disk doesn't take it: 6 s of 1,000 calls. */
const longestBytes = 128 * 1024 * 1024;
/** What grew past this is given back once written; a beat of 1,000 calls is 2 MB. */
const ordinaryBytes = 16 * 1024 * 1024;

/** Bytes, twice. */
export class ChunkBytes {
  bytes: Buffer;
  view: DataView;

  constructor(length = firstBytes) {
    // The kernel gives memory for what is used of it only.
    this.bytes = Buffer.allocUnsafeSlow(length);
    this.view = new DataView(this.bytes.buffer);
  }
}

/** Blocks that go to disk in one write. */
export class Chunk {
  readonly segment: OpenSegment;
  /** Where in the segment it goes. */
  readonly position: number;
  used = 0;
  /** The segment ends with it. */
  last = false;
  #held: ChunkBytes;

  constructor(segment: OpenSegment, position: number, held = new ChunkBytes()) {
    this.segment = segment;
    this.position = position;
    this.#held = held;
  }

  get held(): ChunkBytes {
    return this.#held;
  }

  /** Makes room for `length` bytes behind those that are used; false where that would be too many. */
  reserve(length: number): boolean {
    const { bytes } = this.#held;
    if (bytes.length >= this.used + length) return true;
    let size = bytes.length;
    while (size < this.used + length) size *= 2;
    if (size > longestBytes) return false;
    this.#held = new ChunkBytes(size);
    bytes.copy(this.#held.bytes, 0, 0, this.used);

    return true;
  }

  /** All of it is written. */
  empty(): void {
    this.used = 0;
    if (this.#held.bytes.length > ordinaryBytes) this.#held = new ChunkBytes();
  }
}
