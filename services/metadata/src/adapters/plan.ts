import { mustRemoveMedia, stateOf } from '@reelstream/domain';
import type { SessionRecord } from '@reelstream/domain';
import { deliveryChannel, sql, toJson, toText } from '@reelstream/store';
import type { Database, Transaction } from '@reelstream/store';
import type { NodeFact, Plan } from '../core/fold.ts';
import type { Incoming } from '../core/incoming.ts';
import { participantKeys } from '../core/participants.ts';
import { tagKeys } from '../core/tag-keys.ts';
import type { Subscription } from '../core/subscriptions.ts';
import { writeSlowFact } from './slow-facts.ts';

type Trx = Transaction<Database>;

/** Rows of one insert: PostgreSQL takes 65,535 parameters a statement. */
const rowsAtOnce = 1_000;

const chunks = <T>(items: readonly T[]): T[][] =>
  Array.from({ length: Math.ceil(items.length / rowsAtOnce) }, (_, index) =>
    items.slice(index * rowsAtOnce, (index + 1) * rowsAtOnce),
  );

/** Writes everything that a batch came to, but for the position. */
export const writePlan = async (trx: Trx, plan: Plan, generation: number): Promise<void> => {
  await writeEvents(trx, plan, generation);
  await writeSessions(trx, plan);
  await writeAnnotations(trx, plan);
  for (const node of plan.nodes) await writeNode(trx, node);
  for (const fact of plan.slowFacts) await writeSlowFact(trx, fact, generation);
  for (const event of plan.alarms) await raiseAlarm(trx, alarmOf(event));
  for (const subscription of plan.subscriptions) await writeSubscription(trx, subscription);
  await writeDeliveries(trx, plan);
};

/** The row of an event, but for its place and what came of it. */
export const eventRow = ({ family, raw }: Pick<Incoming, 'family' | 'raw'>) => ({
  id: raw.id,
  family,
  subject: raw.subject,
  type: toText(raw.type),
  version: raw.version,
  epoch: raw.epoch,
  origin: raw.origin,
  time: raw.time,
  envelope: toJson(raw),
});

const writeEvents = async (trx: Trx, { inserted, met, done }: Plan, generation: number): Promise<void> => {
  const fresh = new Set(inserted.map(({ raw }) => raw.id));
  const rows = inserted.map((incoming) => ({
    ...eventRow(incoming),
    generation,
    sequence: incoming.sequence,
    applied: done.has(incoming.raw.id),
  }));
  for (const chunk of chunks(rows)) await trx.insertInto('event').values(chunk).execute();

  const released = [...done].filter((id) => !fresh.has(id));
  if (released.length > 0)
    await trx.updateTable('event').set({ applied: true }).where('id', 'in', released).execute();
  for (const incoming of met) await writePlace(trx, incoming, generation);
};

/** An event of an older generation that the stream holds again has a new place; a mere repeat keeps its first one. */
const writePlace = async (trx: Trx, { raw, sequence }: Incoming, generation: number): Promise<void> => {
  await trx
    .updateTable('event')
    .set({ generation, sequence })
    .where('id', '=', raw.id)
    .where('generation', '<', generation)
    .execute();
};

/** The row of a session. */
export const sessionRow = (record: SessionRecord) => ({
  session_id: record.sessionId,
  state: stateOf(record),
  started_at: record.startedAt,
  ended_at: record.endedAt ?? null,
  version: record.version,
  epoch: record.epoch,
  origin: record.origin,
  home: record.home,
  participants: participantKeys(record),
  doc: toJson(record),
  tags: tagKeys(record).map(toText),
  must_remove: mustRemoveMedia(record),
});

export const writeSessions = async (trx: Trx, { sessions }: Pick<Plan, 'sessions'>): Promise<void> => {
  const rows = sessions.map(sessionRow);
  for (const chunk of chunks(rows)) {
    await trx
      .insertInto('session')
      .values(chunk)
      .onConflict((conflict) =>
        conflict.column('session_id').doUpdateSet((row) => ({
          state: row.ref('excluded.state'),
          started_at: row.ref('excluded.started_at'),
          ended_at: row.ref('excluded.ended_at'),
          version: row.ref('excluded.version'),
          epoch: row.ref('excluded.epoch'),
          origin: row.ref('excluded.origin'),
          home: row.ref('excluded.home'),
          participants: row.ref('excluded.participants'),
          doc: sql<string>`excluded.doc`,
          tags: row.ref('excluded.tags'),
          must_remove: row.ref('excluded.must_remove'),
        })),
      )
      .execute();
  }
};

export const writeAnnotations = async (
  trx: Trx,
  { annotations }: Pick<Plan, 'annotations'>,
): Promise<void> => {
  const rows = [...annotations].map(([sessionId, doc]) => ({ session_id: sessionId, doc: toJson(doc) }));
  for (const chunk of chunks(rows))
    await trx
      .insertInto('annotation')
      .values(chunk)
      .onConflict((conflict) => conflict.column('session_id').doUpdateSet({ doc: sql<string>`excluded.doc` }))
      .execute();
};

/** The row of a node. */
export const nodeRow = (fact: NodeFact) => ({
  node_id: fact.nodeId,
  role: fact.role,
  host: fact.host === undefined ? null : toText(fact.host),
  address: fact.address === undefined ? null : toText(fact.address),
  epoch: fact.epoch,
  state: fact.state,
  changed_at: fact.changedAt,
});

/** Of one life the beginning may come last, having been said again. */
const isOver = sql<boolean>`node.epoch = excluded.epoch and excluded.state = 'started'`;

/** What is said of an older life of a node changes nothing; what isn't said stays. */
const writeNode = async (trx: Trx, fact: NodeFact): Promise<void> => {
  await trx
    .insertInto('node')
    .values(nodeRow(fact))
    .onConflict((conflict) =>
      conflict
        .column('node_id')
        .doUpdateSet((row) => ({
          role: row.ref('excluded.role'),
          host: sql<string | null>`coalesce(excluded.host, node.host)`,
          address: sql<string | null>`coalesce(excluded.address, node.address)`,
          epoch: row.ref('excluded.epoch'),
          state: sql<NodeFact['state']>`case when ${isOver} then node.state else excluded.state end`,
          changed_at: sql<Date>`case when ${isOver} then node.changed_at else excluded.changed_at end`,
        }))
        .whereRef('node.epoch', '<=', 'excluded.epoch'),
    )
    .execute();
};

export type Alarm = {
  readonly alarmId: string;
  readonly kind: string;
  readonly raisedAt: string;
  readonly detail: unknown;
};

/** The alarm that an event is. */
export const alarmOf = ({ id, type, data, time }: Plan['alarms'][number]): Alarm => ({
  alarmId: id,
  kind: type,
  raisedAt: time,
  detail: data,
});

/** The row of an alarm that nobody has cleared. */
export const alarmRow = ({ alarmId, kind, raisedAt, detail }: Alarm) => ({
  alarm_id: alarmId,
  kind,
  raised_at: raisedAt,
  detail: toJson(detail),
});

/** Raises an alarm, once. */
export const raiseAlarm = async (trx: Trx, alarm: Alarm): Promise<void> => {
  await trx
    .insertInto('alarm')
    .values(alarmRow(alarm))
    .onConflict((conflict) => conflict.column('alarm_id').doNothing())
    .execute();
};

/** The row of a subscription. */
export const subscriptionRow = (subscription: Subscription) => ({
  subscription_id: subscription.subscriptionId,
  url: toText(subscription.url),
  types: subscription.types.map(toText),
  encrypted_secret: subscription.encryptedSecret,
  created_at: subscription.createdAt,
  deleted_at: subscription.deletedAt ?? null,
  next_sequence: subscription.nextSequence,
});

export const writeSubscription = async (trx: Trx, subscription: Subscription): Promise<void> => {
  const { subscription_id: subscriptionId, ...row } = subscriptionRow(subscription);
  await trx
    .insertInto('subscription')
    .values({ subscription_id: subscriptionId, ...row })
    .onConflict((conflict) => conflict.column('subscription_id').doUpdateSet(row))
    .execute();
  if (subscription.deletedAt === undefined) return;

  await trx
    .updateTable('delivery')
    .set({ state: 'parked', last_error: 'the subscription was deleted' })
    .where('subscription_id', '=', subscriptionId)
    .where('state', '=', 'pending')
    .execute();
};

const writeDeliveries = async (trx: Trx, { deliveries }: Plan): Promise<void> => {
  if (deliveries.length === 0) return;
  const rows = deliveries.map(({ subscriptionId, sessionKey, sequence, eventId, body }) => ({
    subscription_id: subscriptionId,
    session_key: sessionKey,
    sequence,
    event_id: eventId,
    body,
  }));
  for (const chunk of chunks(rows)) await trx.insertInto('delivery').values(chunk).execute();
  // Heard when, and only if, this transaction commits.
  await sql`select pg_notify(${deliveryChannel}, '')`.execute(trx);
};
