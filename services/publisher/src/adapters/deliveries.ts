import {
  claimDeliveries,
  deferBlocked,
  recordDelivered,
  recordFailed,
  releaseClaims,
} from '@reelstream/store';
import type { Claimant, ClaimedDelivery, ClaimOptions, Store } from '@reelstream/store';

export type { ClaimedDelivery };

/** Arrivals that are written in one transaction, as soon as the one before is. */
type ArrivalRecord = { readonly deliveryIds: number[]; readonly written: Promise<void> };

/** The delivery rows as one life of a publisher sees them. Everything throws while the database is away. */
export class Deliveries {
  readonly #db: Store['db'];
  readonly #claimant: Claimant;
  readonly #leaseMs: number;
  #lastRecord = Promise.resolve();
  #nextRecord: ArrivalRecord | undefined;

  constructor(db: Store['db'], claimant: Claimant, leaseMs: number) {
    this.#db = db;
    this.#claimant = claimant;
    this.#leaseMs = leaseMs;
  }

  /** What is due for the first time, up to the free slots of each subscription. */
  claimFirst(slots: number, taken: ReadonlyMap<string, number>): Promise<readonly ClaimedDelivery[]> {
    return this.#claim({ slots, taken, kind: 'first' });
  }

  /** What is due again. */
  claimRepeats(slots: number, taken: ReadonlyMap<string, number>): Promise<readonly ClaimedDelivery[]> {
    return this.#claim({ slots, taken, kind: 'repeat' });
  }

  /** Resolves once it is recorded: together with all that arrived while the last record was written. */
  delivered({ deliveryId }: ClaimedDelivery): Promise<void> {
    this.#nextRecord ??= this.#recordAfter(this.#lastRecord);
    this.#nextRecord.deliveryIds.push(deliveryId);

    return this.#nextRecord.written;
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

  #claim(options: Pick<ClaimOptions, 'slots' | 'taken' | 'kind'>): Promise<readonly ClaimedDelivery[]> {
    return claimDeliveries(this.#db, { ...options, claimant: this.#claimant, leaseMs: this.#leaseMs });
  }

  #recordAfter(last: Promise<void>): ArrivalRecord {
    const deliveryIds: number[] = [];
    const written = last.then(() => {
      this.#nextRecord = undefined;

      return recordDelivered(this.#db, deliveryIds);
    });
    this.#lastRecord = written.catch(() => undefined);

    return { deliveryIds, written };
  }
}
