const FIRST_CAPACITY = 4096;

/** Bytes that arrived and are not yet consumed, in one growing buffer: appending one byte at a time stays linear. */
export class ByteQueue {
  #buffer = Buffer.allocUnsafe(FIRST_CAPACITY);
  #start = 0;
  #end = 0;

  get length(): number {
    return this.#end - this.#start;
  }

  /** What is waiting, as a view that the next append may overwrite. */
  get bytes(): Buffer {
    return this.#buffer.subarray(this.#start, this.#end);
  }

  append(chunk: Buffer): void {
    if (this.#end + chunk.length > this.#buffer.length) this.#makeRoom(chunk.length);
    this.#buffer.set(chunk, this.#end);
    this.#end += chunk.length;
  }

  /** A copy of the first `count` bytes, which leave the queue. */
  take(count: number): Buffer {
    const taken = Buffer.from(this.#buffer.subarray(this.#start, this.#start + count));
    this.skip(count);
    return taken;
  }

  skip(count: number): void {
    this.#start += count;
    if (this.#start === this.#end) this.#start = this.#end = 0;
  }

  #makeRoom(extra: number): void {
    const waiting = this.bytes;
    let capacity = this.#buffer.length;
    while (capacity < waiting.length + extra) capacity *= 2;
    const buffer = capacity === this.#buffer.length ? this.#buffer : Buffer.allocUnsafe(capacity);
    buffer.set(waiting, 0);
    this.#buffer = buffer;
    this.#end = waiting.length;
    this.#start = 0;
  }
}
