import { isDeepStrictEqual } from 'node:util';
import type { DomainEvent } from '@reelstream/events';
import { sql } from '@reelstream/store';
import type { Database, EventRow, Kysely, Transaction } from '@reelstream/store';
import { fromStored } from '../adapters/known.ts';
import { alarmOf, alarmRow, nodeRow, writeSubscription } from '../adapters/plan.ts';
import { writeSlowFact } from '../adapters/slow-facts.ts';
import { followed, followingTables, refoldFacts } from '../core/refold-facts.ts';
import type { FactRows, FollowingTable } from '../core/refold-facts.ts';
import { readBegun } from '../core/generations.ts';
import { slowFactBucketOf } from '../core/slow-facts.ts';
import { rewoundId } from '../rewind.ts';
import type { Places } from './collect.ts';
import { detailOf, storedRows, wantedRows } from './rows.ts';
import type { Row } from './rows.ts';

/** A row that does not follow from the events of its key. */
export type FoundRow = {
  readonly table: FollowingTable;
  /** Key of the subject of its events. */
  readonly key: string;
  /** `unfounded`: there is a row and no event that speaks of it. */
  readonly problem: 'missing' | 'altered' | 'unfounded';
};

type Trx = Transaction<Database>;

const types = followingTables.flatMap((table) => [...followed[table]]);

/** Keys that have such a row, or an event from which one follows, some at a time. */
export async function* followingKeys(
  db: Kysely<Database>,
  limit: number,
): AsyncGenerator<readonly string[], void, undefined> {
  for (let after: string | undefined = ''; after !== undefined;) {
    const { rows } = await sql<{ readonly key: string }>`
      select key from (
        (select distinct subject as key from event where type = any(${types}) and subject > ${after}
          order by subject limit ${limit})
        union (select key from slow_fact where key > ${after} order by key limit ${limit})
        union (select node_id from node where node_id > ${after} order by node_id limit ${limit})
        union (select subscription_id::text from subscription where subscription_id::text > ${after}
          order by subscription_id::text limit ${limit})
        union (select distinct detail ->> 'server' from alarm where detail ->> 'server' > ${after})
      ) as known order by key limit ${limit}`.execute(db);
    if (rows.length > 0) yield rows.map(({ key }) => key);
    after = rows.at(-1)?.key;
  }
}

type Basis = {
  readonly facts: FactRows;
  /** Keys with an event from which a row of a table follows. */
  readonly founded: ReadonlySet<string>;
};

/** What the rows of these keys should say by the events that are here. */
const refolded = async (trx: Trx, keys: readonly string[]): Promise<Basis> => {
  const events: readonly Pick<EventRow, 'generation' | 'sequence' | 'family' | 'envelope'>[] = await trx
    .selectFrom('event')
    .select(['generation', 'sequence', 'family', 'envelope'])
    .where('subject', 'in', [...keys])
    .where('type', 'in', types)
    .orderBy('generation')
    .orderBy('sequence')
    .execute();
  const placed = events.map((event) => ({ ...fromStored(event), generation: event.generation }));
  const founded = followingTables.flatMap((table) => {
    const grounds: readonly string[] = followed[table];

    return placed.filter(({ raw }) => grounds.includes(raw.type)).map(({ raw }) => `${table} ${raw.subject}`);
  });

  return { facts: refoldFacts(placed), founded: new Set(founded) };
};

/** The event that says how the slow fact is now of which one of this type speaks. */
export const lastWord = async (trx: Trx, key: string, type: string): Promise<DomainEvent | undefined> => {
  const { facts } = await refolded(trx, [key]);
  const now = facts.slowFacts.find(({ bucket }) => bucket === slowFactBucketOf(type));
  const row =
    now &&
    (await trx
      .selectFrom('event')
      .select(['sequence', 'family', 'envelope'])
      .where('generation', '=', now.generation)
      .where('sequence', '=', now.sequence)
      .executeTakeFirst());

  return row && fromStored(row).event;
};

/** Deliveries are numbered without gaps: the next number is the one behind the last. */
const nextNumbers = async (trx: Trx, ids: readonly string[]): Promise<ReadonlyMap<string, number>> => {
  const { rows } = await sql<{ readonly id: string; readonly next: number }>`
    select id, coalesce((select max(sequence) from delivery where subscription_id = id), 0) + 1 as next
    from unnest(${[...ids]}::uuid[]) as id`.execute(trx);

  return new Map(rows.map(({ id, next }) => [id, next]));
};

/** What else its rows say: of subscriptions the next number, of slow facts the place after rewinds. */
const numbered = async (
  trx: Trx,
  { numbering }: Places,
  { subscriptions, slowFacts, ...facts }: FactRows,
): Promise<FactRows> => {
  const next = await nextNumbers(
    trx,
    subscriptions.map(({ subscriptionId }) => subscriptionId),
  );

  return {
    ...facts,
    slowFacts: slowFacts.map((fact) => ({ ...fact, ...numbering.rewound(fact) })),
    subscriptions: subscriptions.map((subscription) => ({
      ...subscription,
      nextSequence: next.get(subscription.subscriptionId) ?? 1,
    })),
  };
};

const nameOf = ({ table, id }: Row): string => `${table} ${id}`;

/** What was written at a lost place keeps the one where the generation began, though the event is said again. */
const isSame = ({ numbering }: Places, { table, columns }: Row, wanted: Row): boolean => {
  const { generation, sequence } = columns as { readonly generation: number; readonly sequence: number };
  const isRewound = table === 'slow_fact' && numbering.isBeginning({ generation, sequence });

  return isDeepStrictEqual(columns, isRewound ? { ...wanted.columns, generation, sequence } : wanted.columns);
};

/** An alarm of our own rewind, of which the stream is told once the database has caught up. */
const isUnsaidYet = ({ server }: Places, { table, id, columns }: Row): boolean => {
  if (table !== 'alarm') return false;
  const detail = detailOf(columns);
  const [begun] = readBegun([String(detail['common'])]);

  return detail['server'] === server && begun !== undefined && id === rewoundId(server, begun.generation);
};

type Compared = {
  readonly facts: FactRows;
  readonly found: readonly FoundRow[];
  /** Rows that are there instead of others, by their names. */
  readonly wrong: readonly Row[];
};

const compare = async (trx: Trx, places: Places, keys: readonly string[]): Promise<Compared> => {
  const { facts: folded, founded } = await refolded(trx, keys);
  const facts = await numbered(trx, places, folded);
  const wanted = new Map(wantedRows(facts).map((row) => [nameOf(row), row]));
  const stored = await storedRows(trx, keys, facts.alarms);
  const names = new Set(stored.map(nameOf));
  const missing = [...wanted.values()].filter((row) => !names.has(nameOf(row)));
  const extra = stored.filter((row) => !wanted.has(nameOf(row)) && !isUnsaidYet(places, row));
  const isFounded = ({ table, key }: Row): boolean =>
    table !== 'subscription' && founded.has(`${table} ${key}`);
  const altered = stored.filter((row) => {
    const should = wanted.get(nameOf(row));

    return should !== undefined && !isSame(places, row, should);
  });
  const report = (problem: FoundRow['problem']) => (row: Row) => ({
    table: row.table,
    key: row.key,
    problem,
  });
  const wrong = extra.filter(isFounded);

  return {
    facts,
    found: [
      ...missing.map(report('missing')),
      ...[...altered, ...wrong].map(report('altered')),
      ...extra.filter((row) => !isFounded(row)).map(report('unfounded')),
    ],
    wrong,
  };
};

/** Compares the rows of these keys with what follows from their events, at one moment. */
export const lookAtRows = async (places: Places, keys: readonly string[]): Promise<readonly FoundRow[]> =>
  places.db
    .transaction()
    .setIsolationLevel('repeatable read')
    .execute(async (trx) => (await compare(trx, places, keys)).found);

/** Makes these rows anew. One that no event speaks of stays: it may be all that is left of what is lost. */
export const makeFollowingRows = async (
  trx: Trx,
  places: Places,
  rows: readonly Pick<FoundRow, 'table' | 'key'>[],
): Promise<void> => {
  if (rows.length === 0) return;
  const { facts, wrong } = await compare(trx, places, [...new Set(rows.map(({ key }) => key))]);
  const isMeant = (table: FollowingTable, key: string): boolean =>
    rows.some((row) => row.table === table && row.key === key);
  for (const row of wrong) if (isMeant(row.table, row.key)) await dropRow(trx, row);
  for (const fact of facts.nodes) if (isMeant('node', fact.nodeId)) await putNode(trx, nodeRow(fact));
  for (const fact of facts.slowFacts)
    if (isMeant('slow_fact', fact.key)) await writeSlowFact(trx, fact, fact.generation);
  for (const subscription of facts.subscriptions)
    if (isMeant('subscription', subscription.subscriptionId)) await writeSubscription(trx, subscription);
  for (const event of facts.alarms)
    if (isMeant('alarm', event.subject)) await putAlarm(trx, alarmRow(alarmOf(event)));
};

const putNode = async (trx: Trx, row: ReturnType<typeof nodeRow>): Promise<void> => {
  await trx
    .insertInto('node')
    .values(row)
    .onConflict((conflict) => conflict.column('node_id').doUpdateSet(row))
    .execute();
};

/** Whether somebody has cleared it stays as it is. */
const putAlarm = async (trx: Trx, row: ReturnType<typeof alarmRow>): Promise<void> => {
  await trx
    .insertInto('alarm')
    .values(row)
    .onConflict((conflict) => conflict.column('alarm_id').doUpdateSet(row))
    .execute();
};

const dropRow = async (trx: Trx, { table, id, columns }: Row): Promise<void> => {
  switch (table) {
    case 'slow_fact':
      await trx
        .deleteFrom('slow_fact')
        .where('key', '=', String(columns['key']))
        .where(sql<boolean>`bucket = ${columns['bucket']}`)
        .execute();

      return;
    case 'alarm':
      await trx.deleteFrom('alarm').where('alarm_id', '=', id).execute();

      return;
    case 'node':
    case 'subscription':
    // Their keys are those of their events: none can be instead of another.
  }
};
