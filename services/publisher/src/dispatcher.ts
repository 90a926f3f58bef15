import type { Logger } from '@reelstream/service';
import type { ClaimedDelivery, Deliveries } from './adapters/deliveries.ts';

const pollIntervalMs = 1_000;

export type DispatcherOptions = {
  readonly deliveries: Deliveries;
  /** One attempt at one delivery, recorded. Never throws. */
  readonly deliver: (delivery: ClaimedDelivery) => Promise<void>;
  /** Deliveries under way at a time per subscription. Repeats get at most half as many, apart from these. */
  readonly slots: number;
  readonly log: Logger;
};

const isRepeat = (delivery: ClaimedDelivery): boolean => delivery.attempts > 1;

/** Keeps claiming what is due while there are free slots; woken by `wake`, by every delivery that ends, and once a second. */
export class Dispatcher {
  readonly #options: DispatcherOptions;
  readonly #underWay = new Map<Promise<void>, ClaimedDelivery>();
  readonly #timer: NodeJS.Timeout;
  #round: Promise<void> | undefined;
  #again = false;
  /** Repeats come due by time: looking for them once a second is enough. */
  #repeatsDue = true;
  #stopped = false;
  #released = false;
  #trouble: string | undefined = 'the database has not answered yet';

  constructor(options: DispatcherOptions) {
    this.#options = options;
    this.#timer = setInterval(() => this.#tick(), pollIntervalMs);
    this.wake();
  }

  /** Deliveries under way. */
  get load(): number {
    return this.#underWay.size;
  }

  /** Why nothing can be claimed; undefined while all is well. */
  get trouble(): string | undefined {
    return this.#trouble;
  }

  /** Something may be due. */
  wake(): void {
    if (this.#stopped) return;
    if (this.#round) {
      this.#again = true;

      return;
    }
    this.#round = this.#claimAll().finally(() => {
      this.#round = undefined;
      if (!this.#again) return;
      this.#again = false;
      this.wake();
    });
  }

  /** Claims no more; resolves when nothing is under way. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearInterval(this.#timer);
    await this.#round;
    await Promise.all(this.#underWay.keys());
  }

  #tick(): void {
    this.#repeatsDue = true;
    this.wake();
    if (this.#trouble === undefined) this.#options.deliveries.deferBlocked().catch(() => undefined);
  }

  async #claimAll(): Promise<void> {
    const { deliveries, slots } = this.#options;
    try {
      if (!this.#released) await deliveries.release('earlier-lives');
      this.#released = true;
      for (const delivery of await deliveries.claimFirst(slots, this.#taken())) this.#begin(delivery);
      this.#changeTrouble(undefined);
      if (!this.#repeatsDue) return;
      this.#repeatsDue = false;
      const most = Math.floor(slots / 2);
      for (const delivery of await deliveries.claimRepeats(most, this.#taken({ repeats: true })))
        this.#begin(delivery);
    } catch (error) {
      this.#changeTrouble(error instanceof Error ? error.message : String(error));
    }
  }

  #begin(delivery: ClaimedDelivery): void {
    const done = this.#options.deliver(delivery).finally(() => {
      this.#underWay.delete(done);
      this.#repeatsDue ||= isRepeat(delivery);
      this.wake();
    });
    this.#underWay.set(done, delivery);
  }

  /** Slots in use by subscription; of repeats alone if asked so. */
  #taken(only: { readonly repeats: boolean } = { repeats: false }): Map<string, number> {
    const taken = new Map<string, number>();
    for (const delivery of this.#underWay.values()) {
      if (only.repeats && !isRepeat(delivery)) continue;
      taken.set(delivery.subscriptionId, (taken.get(delivery.subscriptionId) ?? 0) + 1);
    }

    return taken;
  }

  #changeTrouble(trouble: string | undefined): void {
    if ((trouble === undefined) !== (this.#trouble === undefined)) {
      if (trouble === undefined) this.#options.log.info({}, 'database.reached');
      else this.#options.log.warn({ reason: trouble }, 'database.lost');
    }
    this.#trouble = trouble;
  }
}
