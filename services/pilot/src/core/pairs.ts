/** Longer than two legs of a call are ever apart. */
const rememberedMs = 10_000;
const mostRemembered = 20_000;

/**
 * Homes of the leg that came first, by pairing key: load figures may have changed before the other leg comes, its home
 * may not. Times are milliseconds on the caller's monotonic clock.
 */
export class Pairs {
  readonly #homes = new Map<string, { readonly homes: readonly string[]; readonly until: number }>();

  remember(key: string, homes: readonly string[], now: number): void {
    for (const [oldest, { until }] of this.#homes) {
      if (until > now && this.#homes.size < mostRemembered) break;
      this.#homes.delete(oldest);
    }
    if (!this.#homes.has(key)) this.#homes.set(key, { homes, until: now + rememberedMs });
  }

  /** Empty where no leg with this key came lately. */
  homesOf(key: string, now: number): readonly string[] {
    const remembered = this.#homes.get(key);

    return remembered && remembered.until > now ? remembered.homes : [];
  }
}
