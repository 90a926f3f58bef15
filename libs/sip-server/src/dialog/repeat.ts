/** How a response is repeated until it is acknowledged, all in milliseconds. */
export type RepeatTimes = {
  readonly firstMs: number;
  /** Each interval is twice the one before, up to this. */
  readonly longestMs: number;
  readonly giveUpMs: number;
};

/** A response that waits for its acknowledgement: sent again and again, and given up at last. */
export class Repeat {
  readonly #giveUp: NodeJS.Timeout;
  #again: NodeJS.Timeout | undefined;

  constructor({ firstMs, longestMs, giveUpMs }: RepeatTimes, resend: () => void, gaveUp: () => void) {
    this.#giveUp = setTimeout(() => {
      this.stop();
      gaveUp();
    }, giveUpMs);
    this.#after(firstMs, longestMs, resend);
  }

  stop(): void {
    clearTimeout(this.#giveUp);
    clearTimeout(this.#again);
  }

  #after(ms: number, longestMs: number, resend: () => void): void {
    if (ms === Infinity) return;
    this.#again = setTimeout(() => {
      resend();
      this.#after(Math.min(2 * ms, longestMs), longestMs, resend);
    }, ms);
  }
}
