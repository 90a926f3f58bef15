import type { CallPlacement } from '@reelstream/events';

/** Bounds: some 20 MB. */
const mostCalls = 10_000;
const mostOfOneCall = 8;

/** What this pilot did with its latest calls, by Call-ID: the same INVITE may come more than once. */
export class PlacementMemory {
  readonly #calls = new Map<string, readonly CallPlacement[]>();

  add(placement: CallPlacement): void {
    const { callId } = placement;
    const before = this.#calls.get(callId) ?? [];
    this.#calls.delete(callId);
    this.#calls.set(callId, [...before, placement].slice(-mostOfOneCall));
    const [oldest] = this.#calls.size > mostCalls ? this.#calls.keys() : [];
    if (oldest !== undefined) this.#calls.delete(oldest);
  }

  /** What became of the reservation of the newest INVITE with this Call-ID. */
  settle(callId: string, outcome: 'claimed' | 'lost' | 'cancelled', claimedBy?: string): void {
    const placements = this.#calls.get(callId);
    const last = placements?.at(-1);
    if (!placements || !last) return;
    const settled = { ...last, outcome, ...(claimedBy === undefined ? {} : { claimedBy }) };
    this.#calls.set(callId, [...placements.slice(0, -1), settled]);
  }

  of(callId: string): readonly CallPlacement[] {
    return this.#calls.get(callId) ?? [];
  }
}
