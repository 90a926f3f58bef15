/** Even ports for RTP, each with the odd one above it for RTCP. The port that was given back longest ago goes first. */
export class PortPool {
  readonly #free: number[] = [];
  readonly #first: number;
  readonly #last: number;

  /** `first` and `last` inclusive; a pair that doesn't fit whole is left out. */
  constructor(first: number, last: number) {
    this.#first = first;
    this.#last = last;
    for (let port = first + (first % 2); port + 1 <= last; port += 2) this.#free.push(port);
  }

  owns(port: number): boolean {
    return port >= this.#first && port <= this.#last;
  }

  get free(): number {
    return this.#free.length;
  }

  /** The range in equal parts, each of whole pairs. */
  static split(first: number, last: number, parts: number): readonly PortPool[] {
    const begin = first + (first % 2);
    const pairs = Math.max(0, Math.floor((last - begin + 1) / 2));
    const at = (part: number): number => begin + 2 * Math.floor((pairs * part) / parts);

    return Array.from({ length: parts }, (_, part) => new PortPool(at(part), at(part + 1) - 1));
  }

  take(): number | undefined {
    return this.#free.shift();
  }

  /** This very port; false where it is in use or not ours. */
  takeExactly(port: number): boolean {
    const at = this.#free.indexOf(port);
    if (at < 0) return false;
    this.#free.splice(at, 1);

    return true;
  }

  give(port: number): void {
    this.#free.push(port);
  }
}
