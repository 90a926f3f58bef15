/** Reads bits, most significant first. Past the end everything is 0, and `overrun` says so. */
export class BitReader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get position(): number {
    return this.#at;
  }

  get overrun(): boolean {
    return this.#at > this.#bytes.length * 8;
  }

  /** An unsigned number of up to 32 bits. */
  read(bits: number): number {
    let value = 0;
    for (let i = 0; i < bits; i++, this.#at++) {
      value = value * 2 + (((this.#bytes[this.#at >> 3] ?? 0) >> (7 - (this.#at & 7))) & 1);
    }

    return value;
  }

  /** The next bits as bytes, the last of them filled up with zeros. */
  bytes(bits: number): Uint8Array<ArrayBuffer> {
    const copy = new Uint8Array(Math.ceil(bits / 8));
    for (let i = 0; i < copy.length; i++) {
      const some = Math.min(8, bits - i * 8);
      copy[i] = this.read(some) << (8 - some);
    }

    return copy;
  }
}
