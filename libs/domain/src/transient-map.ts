type Box<V> = { value: V | undefined };

/**
 * A map for what comes and goes by the thousand. Whenever V8's Map makes a new table, the old one stays behind as garbage,
 * with what it held and a link to its successor. Once one such table is in the old generation, everything that passes
 * through the map from then on counts as alive until the next full collection, and is copied to and fro meanwhile: pauses
 * of 8 ms instead of 1. Here the tables hold boxes, and a box is emptied as its entry goes.
 */
export class TransientMap<V extends {}> {
  readonly #boxes = new Map<string, Box<V>>();

  get size(): number {
    return this.#boxes.size;
  }

  get(key: string): V | undefined {
    return this.#boxes.get(key)?.value;
  }

  has(key: string): boolean {
    return this.#boxes.has(key);
  }

  /** A known key keeps its place in the order. */
  set(key: string, value: V): void {
    const box = this.#boxes.get(key);
    if (box) box.value = value;
    else this.#boxes.set(key, { value });
  }

  delete(key: string): void {
    const box = this.#boxes.get(key);
    if (!box) return;
    box.value = undefined;
    this.#boxes.delete(key);
  }

  clear(): void {
    for (const box of this.#boxes.values()) box.value = undefined;
    this.#boxes.clear();
  }

  /** Deletes the oldest beyond so many. */
  keepNewest(most: number): void {
    for (const key of this.#boxes.keys()) {
      if (this.#boxes.size <= most) return;
      this.delete(key);
    }
  }

  /** Oldest first; entries may be deleted meanwhile. */
  *entries(): Generator<readonly [string, V], undefined> {
    for (const [key, { value }] of this.#boxes) if (value !== undefined) yield [key, value];

    return undefined;
  }

  /** Oldest first; entries may be deleted meanwhile. */
  *values(): Generator<V, undefined> {
    for (const { value } of this.#boxes.values()) if (value !== undefined) yield value;

    return undefined;
  }
}
