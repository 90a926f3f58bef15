/**
 * Buffers of one size that are used over and over: the collector would come for them long after they were let go of, since they weigh
 * nothing in its heap. Of one thread.
 */
export class SpareBuffers {
  readonly #bytes: number;
  readonly #most: number;
  readonly #spare: Buffer[] = [];

  /** Keeps at most so many that nobody uses. */
  constructor(bytes: number, most: number) {
    this.#bytes = bytes;
    this.#most = most;
  }

  /** With whatever was in it before. */
  take(): Buffer {
    return this.#spare.pop() ?? Buffer.allocUnsafeSlow(this.#bytes);
  }

  /** Whoever gives a buffer back reads and writes it no more. */
  giveBack(buffer: Buffer): void {
    if (buffer.length === this.#bytes && this.#spare.length < this.#most) this.#spare.push(buffer);
  }
}
