import type { Database, Kysely, SubscriptionRow } from '@reelstream/store';

/** Subscriptions that are active, oldest first. */
export const listSubscriptions = (db: Kysely<Database>): Promise<SubscriptionRow[]> =>
  db
    .selectFrom('subscription')
    .selectAll()
    .where('deleted_at', 'is', null)
    .orderBy('created_at')
    .orderBy('subscription_id')
    .execute();

/** A subscription, active or deleted. */
export const findSubscription = (
  db: Kysely<Database>,
  subscriptionId: string,
): Promise<SubscriptionRow | undefined> =>
  db.selectFrom('subscription').selectAll().where('subscription_id', '=', subscriptionId).executeTakeFirst();
