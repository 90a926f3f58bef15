/** Longer than both legs of a call take to come, where a phone does as it should; for later ones the bucket is asked. */
const rememberedMs = 40_000;
const mostRemembered = 50_000;

/** What was decided lately, by pairing key. Of very many, those that came last. */
export class Remembered<T> {
  readonly #entries = new Map<string, { readonly value: T; readonly until: number }>();
  readonly #now: () => number;

  /** `now` in monotonic milliseconds. */
  constructor(now: () => number) {
    this.#now = now;
  }

  get(key: string): T | undefined {
    const entry = this.#entries.get(key);

    return entry && entry.until > this.#now() ? entry.value : undefined;
  }

  set(key: string, value: T): void {
    const now = this.#now();
    this.#entries.delete(key);
    this.#entries.set(key, { value, until: now + rememberedMs });
    for (const [oldest, { until }] of this.#entries) {
      if (until > now && this.#entries.size <= mostRemembered) break;
      this.#entries.delete(oldest);
    }
  }
}
