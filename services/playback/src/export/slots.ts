import { ExportError } from './errors.ts';

/** Lets a few tasks run at a time; more wait in line, and past its length are turned away with `PLAYBACK_BUSY`. */
export class Slots {
  readonly #longestLine: number;
  readonly #line: (() => void)[] = [];
  #free: number;
  #running = 0;

  constructor(slots: number, longestLine: number) {
    this.#free = slots;
    this.#longestLine = longestLine;
  }

  get running(): number {
    return this.#running;
  }

  async run<T>(task: () => Promise<T>): Promise<T> {
    await this.#enter();
    this.#running += 1;
    try {
      return await task();
    } finally {
      this.#running -= 1;
      const next = this.#line.shift();
      if (next) next();
      else this.#free += 1;
    }
  }

  #enter(): Promise<void> | undefined {
    if (this.#free > 0) {
      this.#free -= 1;

      return undefined;
    }
    if (this.#line.length >= this.#longestLine) {
      throw new ExportError(
        'PLAYBACK_BUSY',
        `${this.#running} exports are being made and ${this.#line.length} wait`,
      );
    }

    return new Promise((resolve) => this.#line.push(resolve));
  }
}
