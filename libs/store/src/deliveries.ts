import { sql } from 'kysely';
import type { Kysely } from 'kysely';
import type { Database } from './schema.ts';

/** NOTIFY channel on which whoever writes delivery rows wakes publishers. */
export const deliveryChannel = 'delivery';

/** A publisher, and which of its lives: claims of an earlier life are void. */
export type Claimant = { readonly nodeId: string; readonly life: string };

/** A delivery that is ours to attempt until the claim runs out. `attempts` counts this one. */
export type ClaimedDelivery = {
  readonly deliveryId: number;
  readonly subscriptionId: string;
  readonly sessionKey: string;
  readonly sequence: number;
  readonly eventId: string;
  readonly body: string;
  readonly attempts: number;
  readonly url: string;
  readonly encryptedSecret: string;
};

export type ClaimOptions = {
  readonly claimant: Claimant;
  /** Claims run out after this long: longer than an attempt with all that belongs to it. */
  readonly leaseMs: number;
  /** Most deliveries to claim per subscription, less what `taken` says. */
  readonly slots: number;
  /** Slots in use, by subscription id. */
  readonly taken: ReadonlyMap<string, number>;
  /** First attempts, or repeats: claimed apart, so that what fails can't starve what is new. */
  readonly kind: 'first' | 'repeat';
};

const claimantText = ({ nodeId, life }: Claimant): string => `${nodeId}/${life}`;

/**
 * Claims due deliveries, at most the free slots of each subscription: only the first undelivered of a subscription and
 * session, so that order holds per session, with any number of publishers at it. A parked one holds back its session.
 */
export const claimDeliveries = async (
  db: Kysely<Database>,
  { claimant, leaseMs, slots, taken, kind }: ClaimOptions,
): Promise<readonly ClaimedDelivery[]> => {
  const isRepeat = kind === 'repeat';
  const { rows } = await sql<ClaimedDelivery>`
    with taken as (
      select * from unnest(${[...taken.keys()]}::uuid[], ${[...taken.values()]}::int[]) as t (subscription_id, slots)
    ), picked as (
      select head.delivery_id, s.url, s.encrypted_secret
      from subscription s
      left join taken using (subscription_id)
      cross join lateral (
        select d.delivery_id
        from delivery d
        where d.subscription_id = s.subscription_id
          and d.state = 'pending'
          and d.next_attempt_at <= now()
          and (d.attempts > 0) = ${isRepeat}
          and (d.claimed_until is null or d.claimed_until <= now())
          and not exists (
            select 1 from delivery earlier
            where earlier.subscription_id = d.subscription_id
              and earlier.session_key = d.session_key
              and earlier.sequence < d.sequence
              and earlier.state <> 'delivered')
        order by d.next_attempt_at
        limit greatest(0, ${slots}::int - coalesce(taken.slots, 0))
        for update skip locked
      ) head
      where s.deleted_at is null
    )
    update delivery d
    set claimed_by = ${claimantText(claimant)},
      claimed_until = now() + ${leaseMs}::int * interval '1 ms',
      attempts = d.attempts + 1
    from picked
    where d.delivery_id = picked.delivery_id
    returning d.delivery_id as "deliveryId", d.subscription_id as "subscriptionId", d.session_key as "sessionKey",
      d.sequence, d.event_id as "eventId", d.body, d.attempts, picked.url,
      picked.encrypted_secret as "encryptedSecret"`.execute(db);

  return rows;
};

/** Records that deliveries arrived, whoever holds their claims by now, and makes what waits in their sessions due. */
export const recordDelivered = async (
  db: Kysely<Database>,
  deliveryIds: readonly number[],
): Promise<void> => {
  await sql`
    with arrived as (
      update delivery
      set state = 'delivered', delivered_at = now(), claimed_by = null, claimed_until = null, last_error = null
      where delivery_id = any(${deliveryIds}::bigint[]) and state <> 'delivered'
      returning delivery_id, subscription_id, session_key
    )
    update delivery d set next_attempt_at = now()
    from arrived
    where d.subscription_id = arrived.subscription_id and d.session_key = arrived.session_key
      and d.state = 'pending' and d.delivery_id <> arrived.delivery_id and d.next_attempt_at > now()`.execute(
    db,
  );
};

/** Records a failed attempt: due again in `retryInMs`, or parked. Does nothing once another holds the claim. */
export const recordFailed = async (
  db: Kysely<Database>,
  failure: {
    readonly deliveryId: number;
    readonly claimant: Claimant;
    readonly error: string;
    /** Undefined parks it: it waits for a human, and its session with it. */
    readonly retryInMs: number | undefined;
  },
): Promise<void> => {
  const { deliveryId, claimant, error, retryInMs } = failure;
  await db
    .updateTable('delivery')
    .set({
      last_error: error,
      claimed_by: null,
      claimed_until: null,
      ...(retryInMs === undefined
        ? { state: 'parked' as const }
        : { next_attempt_at: sql<Date>`now() + ${Math.round(retryInMs)}::bigint * interval '1 ms'` }),
    })
    .where('delivery_id', '=', deliveryId)
    .where('claimed_by', '=', claimantText(claimant))
    .where('state', '=', 'pending')
    .execute();
};

/** Gives up claims whose outcome is unknown, so that they are attempted at once and not when the claim runs out. */
export const releaseClaims = async (
  db: Kysely<Database>,
  claimant: Claimant,
  whose: 'this-life' | 'earlier-lives',
): Promise<void> => {
  const claimedBy = claimantText(claimant);
  const lives =
    whose === 'this-life'
      ? sql<boolean>`claimed_by = ${claimedBy}`
      : sql<boolean>`starts_with(claimed_by, ${`${claimant.nodeId}/`}) and claimed_by <> ${claimedBy}`;
  await db
    .updateTable('delivery')
    .set({ claimed_by: null, claimed_until: null })
    .where('state', '=', 'pending')
    .where(lives)
    .execute();
};

/** Rows put off at a time: the statement stays short, and the rest comes next time. */
const mostDeferred = 2_000;

/**
 * Puts off deliveries that are due but wait for an earlier one of their session, to when that one is due or by an hour:
 * so that the backlog behind a dead endpoint isn't looked through again and again. `recordDelivered` brings them forward.
 */
export const deferBlocked = async (db: Kysely<Database>): Promise<void> => {
  await sql`
    update delivery d
    set next_attempt_at = case
      when blocking.state = 'parked' then now() + interval '1 hour'
      else least(blocking.next_attempt_at, now() + interval '1 hour')
    end
    from (
      select waiting.delivery_id, head.state, head.next_attempt_at
      from delivery waiting
      cross join lateral (
        select state, next_attempt_at, sequence from delivery earlier
        where earlier.subscription_id = waiting.subscription_id
          and earlier.session_key = waiting.session_key
          and earlier.state <> 'delivered'
        order by earlier.sequence
        limit 1
      ) head
      where waiting.state = 'pending' and waiting.next_attempt_at <= now()
        and head.sequence < waiting.sequence
        and (head.state = 'parked' or head.next_attempt_at > now())
      limit ${mostDeferred}
      for update of waiting skip locked
    ) blocking
    where d.delivery_id = blocking.delivery_id`.execute(db);
};
