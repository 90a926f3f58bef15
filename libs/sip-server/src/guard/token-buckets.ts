type Bucket = { tokens: number; at: number };

/** A token bucket for each source: so many a second, and twice that at once. Remembers a bounded number of sources. */
export class TokenBuckets {
  readonly #perSecond: number;
  readonly #maxSources: number;
  readonly #buckets = new Map<string, Bucket>();

  constructor(perSecond: number, maxSources = 10_000) {
    this.#perSecond = perSecond;
    this.#maxSources = maxSources;
  }

  /** Takes a token of this source at `now` (milliseconds); false where it has none left. */
  take(source: string, now: number): boolean {
    const bucket = this.#buckets.get(source) ?? this.#fresh(source, now);
    bucket.tokens = Math.min(
      2 * this.#perSecond,
      bucket.tokens + ((now - bucket.at) * this.#perSecond) / 1000,
    );
    bucket.at = now;
    if (bucket.tokens < 1) return false;
    bucket.tokens -= 1;
    return true;
  }

  /** The oldest source gives way: at worst it gets a full bucket again. */
  #fresh(source: string, now: number): Bucket {
    for (const oldest of this.#buckets.keys()) {
      if (this.#buckets.size < this.#maxSources) break;
      this.#buckets.delete(oldest);
    }
    const bucket = { tokens: 2 * this.#perSecond, at: now };
    this.#buckets.set(source, bucket);
    return bucket;
  }
}
