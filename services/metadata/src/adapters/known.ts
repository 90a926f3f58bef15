import { understand } from '@reelstream/events';
import type { RawEvent } from '@reelstream/events';
import type { Database, SubscriptionRow, Transaction } from '@reelstream/store';
import type { Known } from '../core/fold.ts';
import { isHomeWritten } from '../core/incoming.ts';
import type { Incoming } from '../core/incoming.ts';
import type { SessionLine } from '../core/session-line.ts';
import { loadSlowFacts } from './slow-facts.ts';
import type { Subscription } from '../core/subscriptions.ts';

type StoredEvent = {
  readonly sequence: number;
  readonly family: string;
  readonly envelope: RawEvent;
};

/** An event from the table, understood by the release that runs now. */
export const fromStored = ({ sequence, family, envelope }: StoredEvent): Incoming => {
  const understood = understand(envelope);

  return {
    sequence,
    family,
    raw: envelope,
    event: understood.status === 'known' ? understood.event : undefined,
  };
};

/** Loads what a batch speaks of, and locks the subscriptions: their numbers are given out in this transaction. */
export const loadKnown = async (trx: Transaction<Database>, batch: readonly Incoming[]): Promise<Known> => {
  const keysOf = (wanted: (incoming: Incoming) => boolean): string[] => [
    ...new Set(batch.filter(wanted).map(({ raw }) => raw.subject)),
  ];
  const sessions = keysOf(({ family }) => isHomeWritten(family) || family === 'annotation');
  const lostNodes = keysOf(({ event }) => event?.type === 'node.lost');
  const subscriptions = keysOf(({ family }) => family === 'subscription');

  return {
    events: await loadEvents(trx, batch),
    lines: await loadLines(trx, sessions, lostNodes),
    subscriptions: await loadSubscriptions(trx, subscriptions),
    deletedSubscriptions: await loadDeletions(trx, subscriptions),
    slowFacts: await loadSlowFacts(trx, batch),
    annotations: await loadAnnotations(trx, sessions),
  };
};

const loadAnnotations = async (
  trx: Transaction<Database>,
  sessionIds: string[],
): Promise<Known['annotations']> => {
  if (sessionIds.length === 0) return new Map();
  const rows = await trx.selectFrom('annotation').selectAll().where('session_id', 'in', sessionIds).execute();

  return new Map(rows.map(({ session_id: sessionId, doc }) => [sessionId, doc]));
};

const loadEvents = async (
  trx: Transaction<Database>,
  batch: readonly Incoming[],
): Promise<Known['events']> => {
  if (batch.length === 0) return new Map();
  const ids = batch.map(({ raw }) => raw.id);
  const rows = await trx.selectFrom('event').select(['id', 'applied']).where('id', 'in', ids).execute();

  return new Map(rows.map(({ id, applied }) => [id, { applied }]));
};

const loadLines = async (
  trx: Transaction<Database>,
  sessionIds: string[],
  lostNodes: string[],
): Promise<Known['lines']> => {
  const lines = new Map<string, SessionLine>();
  if (lostNodes.length > 0) {
    const active = await trx
      .selectFrom('session')
      .select('doc')
      .where('state', '=', 'ACTIVE')
      .where('home', 'in', lostNodes)
      .execute();
    for (const { doc } of active) lines.set(doc.sessionId, { record: doc, held: [] });
  }
  if (sessionIds.length === 0) return lines;

  const known = await trx.selectFrom('session').select('doc').where('session_id', 'in', sessionIds).execute();
  for (const { doc } of known) lines.set(doc.sessionId, { record: doc, held: [] });
  const held = await trx
    .selectFrom('event')
    .select(['sequence', 'family', 'subject', 'envelope'])
    .where('applied', '=', false)
    .where('subject', 'in', sessionIds)
    .where('family', 'in', ['session', 'recording'])
    .execute();
  for (const row of held) {
    const line = lines.get(row.subject) ?? { record: undefined, held: [] };
    lines.set(row.subject, { ...line, held: [...line.held, fromStored(row)] });
  }

  return lines;
};

const toSubscription = (row: SubscriptionRow): Subscription => ({
  subscriptionId: row.subscription_id,
  url: row.url,
  types: row.types,
  encryptedSecret: row.encrypted_secret,
  createdAt: row.created_at.toISOString(),
  deletedAt: row.deleted_at?.toISOString(),
  nextSequence: row.next_sequence,
});

const loadSubscriptions = async (
  trx: Transaction<Database>,
  alsoDeleted: string[],
): Promise<readonly Subscription[]> => {
  const rows = await trx
    .selectFrom('subscription')
    .selectAll()
    .where((where) =>
      where.or([
        where('deleted_at', 'is', null),
        ...(alsoDeleted.length > 0 ? [where('subscription_id', 'in', alsoDeleted)] : []),
      ]),
    )
    .orderBy('subscription_id')
    .forUpdate()
    .execute();

  return rows.map(toSubscription);
};

const loadDeletions = async (
  trx: Transaction<Database>,
  subscriptionIds: string[],
): Promise<Known['deletedSubscriptions']> => {
  if (subscriptionIds.length === 0) return new Map();
  const rows = await trx
    .selectFrom('event')
    .select('envelope')
    .where('subject', 'in', subscriptionIds)
    .where('type', '=', 'subscription.deleted')
    .execute();
  const deletions = rows.flatMap(({ envelope }) => {
    const understood = understand(envelope);

    return understood.status === 'known' && understood.event.type === 'subscription.deleted'
      ? [understood.event.data]
      : [];
  });

  return new Map(deletions.map(({ subscriptionId, deletedAt }) => [subscriptionId, deletedAt]));
};
