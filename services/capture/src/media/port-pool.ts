/** Even ports for RTP, each with the odd one above it for RTCP. The port that was given back longest ago goes first. */
export class PortPool {
  readonly #free: number[] = [];

  /** `first` and `last` inclusive; a pair that doesn't fit whole is left out. */
  constructor(first: number, last: number) {
    for (let port = first + (first % 2); port + 1 <= last; port += 2) this.#free.push(port);
  }

  get free(): number {
    return this.#free.length;
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
