import type { CallPlacement } from '@reelstream/events';

/** Bounds: some 20 MB. */
const mostCalls = 10_000;
const mostOfOneCall = 8;

type Outcome = Pick<CallPlacement, 'outcome' | 'claimedBy'>;

/** One text instead of some forty objects: it is seldom read, and the collector looks at each of them again and again. */
type Remembered = { readonly placement: string; readonly outcome: Outcome };

/** What this pilot did with its latest calls, by Call-ID: the same INVITE may come more than once. */
export class PlacementMemory {
  readonly #calls = new Map<string, readonly Remembered[]>();

  add({ outcome, claimedBy, ...placement }: CallPlacement): void {
    const { callId } = placement;
    const before = this.#calls.get(callId) ?? [];
    const added = { placement: JSON.stringify(placement), outcome: outcomeOf(outcome, claimedBy) };
    this.#calls.delete(callId);
    this.#calls.set(callId, [...before, added].slice(-mostOfOneCall));
    const [oldest] = this.#calls.size > mostCalls ? this.#calls.keys() : [];
    if (oldest !== undefined) this.#calls.delete(oldest);
  }

  /** What became of the reservation of the newest INVITE with this Call-ID. */
  settle(callId: string, outcome: 'claimed' | 'lost' | 'cancelled', claimedBy?: string): void {
    const placements = this.#calls.get(callId);
    const last = placements?.at(-1);
    if (!placements || !last) return;
    const settled = { ...last, outcome: outcomeOf(outcome, claimedBy) };
    this.#calls.set(callId, [...placements.slice(0, -1), settled]);
  }

  of(callId: string): readonly CallPlacement[] {
    return (this.#calls.get(callId) ?? []).map(({ placement, outcome }) => ({
      ...(JSON.parse(placement) as Omit<CallPlacement, keyof Outcome>),
      ...outcome,
    }));
  }
}

const outcomeOf = (outcome: Outcome['outcome'], claimedBy: string | undefined): Outcome =>
  claimedBy === undefined ? { outcome } : { outcome, claimedBy };
