import { sql } from '@reelstream/store';
import type { Database, Transaction } from '@reelstream/store';
import { alarmOf, alarmRow, nodeRow, subscriptionRow } from '../adapters/plan.ts';
import { slowFactRow } from '../adapters/slow-facts.ts';
import type { FactRows, FollowingTable } from '../core/refold-facts.ts';

/** One row, as it is or as it should be: the columns that follow from events, times as text, JSON as it is meant. */
export type Row = {
  readonly table: FollowingTable;
  /** Key of the subject of its events. */
  readonly key: string;
  /** Tells it from others of its table. */
  readonly id: string;
  readonly columns: Readonly<Record<string, unknown>>;
};

type Columns = Readonly<Record<string, unknown>>;

/** Times are compared as the database keeps them. */
const inOneForm = (columns: Columns): Columns =>
  Object.fromEntries(
    Object.entries(columns).map(([name, value]) =>
      name.endsWith('_at') && (typeof value === 'string' || value instanceof Date)
        ? [name, new Date(value).toISOString()]
        : [name, value],
    ),
  );

const rowOf = (table: FollowingTable, key: string, id: string, columns: Columns): Row => ({
  table,
  key,
  id,
  columns: inOneForm(columns),
});

const meant = (json: string | null): unknown => (json === null ? null : JSON.parse(json));

export const detailOf = ({ detail }: Columns): Columns => Object(detail) as Columns;

export const wantedRows = ({ nodes, slowFacts, subscriptions, alarms }: FactRows): readonly Row[] => [
  ...nodes.map(nodeRow).map((row) => rowOf('node', row.node_id, row.node_id, row)),
  ...slowFacts
    .map((fact) => slowFactRow(fact, fact.generation))
    .map((row) =>
      rowOf('slow_fact', row.key, `${row.bucket}/${row.key}`, { ...row, value: meant(row.value) }),
    ),
  ...subscriptions
    .map(subscriptionRow)
    .map((row) => rowOf('subscription', row.subscription_id, row.subscription_id, row)),
  ...alarms.map((event) => {
    const row = alarmRow(alarmOf(event));

    return rowOf('alarm', event.subject, row.alarm_id, { ...row, detail: meant(row.detail) });
  }),
];

/** An alarm is found by its server, or by its id where an event raises it: `alarms`. */
export const storedRows = async (
  trx: Transaction<Database>,
  keys: readonly string[],
  alarms: FactRows['alarms'],
): Promise<readonly Row[]> => {
  const any = sql<string>`any(${[...keys]}::text[])`;
  const nodes = await trx.selectFrom('node').selectAll().where('node_id', '=', any).execute();
  const facts = await trx.selectFrom('slow_fact').selectAll().where('key', '=', any).execute();
  const subscriptions = await trx
    .selectFrom('subscription')
    .selectAll()
    .where(sql<boolean>`subscription_id::text = ${any}`)
    .execute();
  const keyOf = new Map(alarms.map(({ id, subject }) => [id, subject]));
  const raised = await trx
    .selectFrom('alarm')
    .select(['alarm_id', 'kind', 'raised_at', 'detail'])
    .where(sql<boolean>`(detail ->> 'server' = ${any} or alarm_id = any(${[...keyOf.keys()]}::uuid[]))`)
    .execute();

  return [
    ...nodes.map((row) => rowOf('node', row.node_id, row.node_id, row)),
    ...facts.map((row) => rowOf('slow_fact', row.key, `${row.bucket}/${row.key}`, row)),
    ...subscriptions.map((row) => rowOf('subscription', row.subscription_id, row.subscription_id, row)),
    ...raised.map((row) =>
      rowOf('alarm', keyOf.get(row.alarm_id) ?? String(detailOf(row)['server']), row.alarm_id, row),
    ),
  ];
};
