import {
  claimDeliveries,
  deferBlocked,
  recordDelivered,
  recordFailed,
  releaseClaims,
} from '@reelstream/store';
import type { Claimant, ClaimedDelivery, Store } from '@reelstream/store';

export type { ClaimedDelivery };

/** The delivery rows as one life of a publisher sees them. Everything throws while the database is away. */
export class Deliveries {
  readonly #db: Store['db'];
  readonly #claimant: Claimant;
  readonly #leaseMs: number;

  constructor(db: Store['db'], claimant: Claimant, leaseMs: number) {
    this.#db = db;
    this.#claimant = claimant;
    this.#leaseMs = leaseMs;
  }

  /** What is due, up to the free slots of each subscription. Repeats get what half of the slots leave them. */
  async claim(
    slots: number,
    taken: { readonly all: ReadonlyMap<string, number>; readonly repeats: ReadonlyMap<string, number> },
  ): Promise<readonly ClaimedDelivery[]> {
    const common = { claimant: this.#claimant, leaseMs: this.#leaseMs };
    const first = await claimDeliveries(this.#db, { ...common, slots, taken: taken.all, kind: 'first' });
    const repeats = await claimDeliveries(this.#db, {
      ...common,
      slots: Math.floor(slots / 2),
      taken: taken.repeats,
      kind: 'repeat',
    });

    return [...first, ...repeats];
  }

  delivered(delivery: ClaimedDelivery): Promise<void> {
    return recordDelivered(this.#db, delivery.deliveryId);
  }

  /** Due again in `retryInMs`; undefined parks it. */
  failed(delivery: ClaimedDelivery, error: string, retryInMs: number | undefined): Promise<void> {
    const { deliveryId } = delivery;

    return recordFailed(this.#db, { deliveryId, claimant: this.#claimant, error, retryInMs });
  }

  deferBlocked(): Promise<void> {
    return deferBlocked(this.#db);
  }

  release(whose: 'this-life' | 'earlier-lives'): Promise<void> {
    return releaseClaims(this.#db, this.#claimant, whose);
  }
}
