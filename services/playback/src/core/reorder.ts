/** A packet of one source with its place in the sequence. */
export type Sequenced<Payload> = { readonly sequenceNumber: number; readonly payload: Payload };

export type Ordered<Payload> = {
  readonly payload: Payload;
  /** It follows the one before it without loss. */
  readonly follows: boolean;
};

/** How many later packets one that is missing is waited for. */
const patience = 32;
/** A step beyond this is a new sequence, not loss (RFC 3550 A.1). */
const maxDropout = 3_000;

/** Puts the packets of one source in the order they were sent in; repeats are dropped, and what comes too late. */
export class Reorder<Payload> {
  readonly #waiting = new Map<number, Payload>();
  /** Next to be given out, without wrapping; undefined before the first. */
  #next: number | undefined;
  #repeats = 0;

  /** Packets dropped: seen already, or too late. */
  get repeats(): number {
    return this.#repeats;
  }

  push({ sequenceNumber, payload }: Sequenced<Payload>): readonly Ordered<Payload>[] {
    const step = this.#next === undefined ? 0 : ((sequenceNumber - this.#next) << 16) >> 16;
    if (this.#next === undefined || Math.abs(step) > maxDropout) {
      const rest = this.finish();
      // The first to come needn't be the first that was sent.
      this.#next = sequenceNumber - patience;
      this.#waiting.set(sequenceNumber, payload);

      return rest;
    }
    const sequence = this.#next + step;
    if (step < 0 || this.#waiting.has(sequence)) {
      this.#repeats += 1;

      return [];
    }
    this.#waiting.set(sequence, payload);
    const ready = this.#release(true);
    if (this.#waiting.size > patience) ready.push(...this.#skip());

    return ready;
  }

  /** No more come: the rest. */
  finish(): Ordered<Payload>[] {
    const rest: Ordered<Payload>[] = [];
    while (this.#waiting.size > 0) rest.push(...this.#skip());

    return rest;
  }

  #release(follows: boolean): Ordered<Payload>[] {
    const ready: Ordered<Payload>[] = [];
    for (let next = this.#next ?? 0; ; next++) {
      const payload = this.#waiting.get(next);
      if (payload === undefined) {
        this.#next = next;

        return ready;
      }
      this.#waiting.delete(next);
      ready.push({ payload, follows: follows || ready.length > 0 });
    }
  }

  /** Gives up what is missing. */
  #skip(): Ordered<Payload>[] {
    this.#next = Math.min(...this.#waiting.keys());

    return this.#release(false);
  }
}
