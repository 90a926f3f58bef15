import type { Clock } from './segment-format.ts';

/**
 * Arrival times of a recording on one line: ns since the start of the session. Within one boot of the machine only the
 * monotonic clock counts, so that a wall clock that is set changes nothing; from one boot to the next the wall clock
 * bridges.
 */
export class Timeline {
  /** Monotonic time less offset, by boot. */
  readonly #zeros = new Map<string, number>();
  readonly #startedAtNs: bigint;

  /** `first`: the clock at the first packet, which arrived at `firstArrivalNs`. */
  constructor(startedAtMs: number, first: Clock, firstArrivalNs: number) {
    this.#startedAtNs = BigInt(startedAtMs) * 1_000_000n;
    const zero = Number(first.monotonicNs - (first.wallNs - this.#startedAtNs));
    // Nothing arrives before the start: where the wall clock says so, it was set in between.
    this.#zeros.set(first.bootId, Math.min(zero, firstArrivalNs));
  }

  offsetNs(arrivalNs: number, clock: Clock): number {
    let zero = this.#zeros.get(clock.bootId);
    if (zero === undefined) {
      zero = Number(clock.monotonicNs - (clock.wallNs - this.#startedAtNs));
      this.#zeros.set(clock.bootId, zero);
    }

    return Math.max(0, arrivalNs - zero);
  }

  /** What a clock block says, on this line. */
  anchor(clock: Clock): { readonly offsetNs: number; readonly wallNs: string } {
    return { offsetNs: this.offsetNs(Number(clock.monotonicNs), clock), wallNs: clock.wallNs.toString() };
  }
}
