import type { EventOf } from '@reelstream/events';
import { formatBody } from './payload.ts';
import type { Announcement } from './payload.ts';

export type Subscription = {
  readonly subscriptionId: string;
  readonly url: string;
  readonly types: readonly string[];
  readonly encryptedSecret: string;
  readonly createdAt: string;
  readonly deletedAt: string | undefined;
  readonly nextSequence: number;
};

export type Delivery = {
  readonly subscriptionId: string;
  readonly sessionKey: string;
  readonly sequence: number;
  readonly eventId: string;
  readonly body: string;
};

/** The subscriptions while a batch is folded. Creation and deletion commute: a deletion wins, whichever came first. */
export class SubscriptionBook {
  readonly #all: Map<string, Subscription>;
  readonly #deletions: Map<string, string>;
  readonly #changed = new Set<string>();
  readonly #deliveries: Delivery[] = [];

  /** `deletions`: when subscriptions were deleted that aren't known (yet), by id. */
  constructor(known: readonly Subscription[], deletions: ReadonlyMap<string, string>) {
    this.#all = new Map(known.map((subscription) => [subscription.subscriptionId, subscription]));
    this.#deletions = new Map(deletions);
  }

  create({ data }: EventOf<'subscription.created'>): void {
    if (this.#all.has(data.subscriptionId)) return;
    const deletedAt = this.#deletions.get(data.subscriptionId);
    this.#put({ ...data, deletedAt, nextSequence: 1 });
  }

  delete({ data }: EventOf<'subscription.deleted'>): void {
    this.#deletions.set(data.subscriptionId, data.deletedAt);
    const subscription = this.#all.get(data.subscriptionId);
    if (subscription && subscription.deletedAt === undefined)
      this.#put({ ...subscription, deletedAt: data.deletedAt });
  }

  /** One delivery for every subscription that wants this; numbered without gaps per subscription. */
  deliver(announcement: Announcement, sessionKey: string): void {
    for (const subscription of this.#all.values()) {
      const { subscriptionId, types, deletedAt, nextSequence: sequence } = subscription;
      if (deletedAt !== undefined || (types.length > 0 && !types.includes(announcement.type))) continue;
      const body = formatBody(announcement, sequence);
      this.#deliveries.push({ subscriptionId, sessionKey, sequence, eventId: announcement.id, body });
      this.#put({ ...subscription, nextSequence: sequence + 1 });
    }
  }

  get changed(): readonly Subscription[] {
    return [...this.#changed].flatMap((id) => this.#all.get(id) ?? []);
  }

  get deliveries(): readonly Delivery[] {
    return this.#deliveries;
  }

  #put(subscription: Subscription): void {
    this.#all.set(subscription.subscriptionId, subscription);
    this.#changed.add(subscription.subscriptionId);
  }
}
