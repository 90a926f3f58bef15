const BEAT_MS = 50;

/** How late the event loop is, in milliseconds, smoothed over some beats: a single pause is no overload. */
export class LoopLag implements Disposable {
  #ms = 0;
  #due = performance.now() + BEAT_MS;
  readonly #timer = setInterval(() => this.#beat(), BEAT_MS).unref();

  get ms(): number {
    return this.#ms;
  }

  #beat(): void {
    const now = performance.now();
    const late = Math.max(0, now - this.#due);
    this.#ms += (late - this.#ms) / 4;
    this.#due = now + BEAT_MS;
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}
