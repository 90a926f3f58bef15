/**
 * Keys remembered for `ms` at least, and twice that at most. Two sets take turns: there may be thousands a second, and
 * neither a timer nor an object of its own is kept for any.
 */
export class RecentKeys {
  readonly #ms: number;
  #young = new Set<string>();
  #old = new Set<string>();
  /** Runs while there are any. */
  #turn: NodeJS.Timeout | undefined;

  constructor(ms: number) {
    this.#ms = ms;
  }

  add(key: string): void {
    this.#young.add(key);
    this.#turn ??= setTimeout(() => this.#age(), this.#ms);
  }

  has(key: string): boolean {
    return this.#young.has(key) || this.#old.has(key);
  }

  clear(): void {
    clearTimeout(this.#turn);
    this.#turn = undefined;
    this.#young.clear();
    this.#old.clear();
  }

  #age(): void {
    this.#old = this.#young;
    this.#young = new Set();
    this.#turn = this.#old.size > 0 ? setTimeout(() => this.#age(), this.#ms) : undefined;
  }
}
