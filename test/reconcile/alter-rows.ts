import assert from 'node:assert/strict';
import { sql } from '@reelstream/store';
import type { Archive } from '../support/archive.ts';
import type { Draw } from './alter.ts';

/**
 * Tables whose rows follow from events: what tells their rows apart, and what else in them does not follow, or has its effect before
 * anyone compares: media that must be removed is.
 */
export const followingTables = {
  node: { key: ['node_id'], besides: [] },
  slow_fact: { key: ['bucket', 'key'], besides: [] },
  subscription: { key: ['subscription_id'], besides: [] },
  alarm: { key: ['alarm_id'], besides: ['cleared_at'] },
  session: { key: ['session_id'], besides: ['must_remove'] },
  annotation: { key: ['session_id'], besides: [] },
} as const;

export type FollowingTable = keyof typeof followingTables;
export const followingTableNames = Object.keys(followingTables) as readonly FollowingTable[];

type Row = Readonly<Record<string, unknown>>;

/** Every row of a table, in the order of its keys. */
export const rowsOf = async (
  { store }: Archive,
  table: FollowingTable | 'event',
): Promise<readonly Row[]> => {
  const key = table === 'event' ? ['id'] : followingTables[table].key;
  const order = sql.join(key.map((column) => sql.ref(column)));
  const { rows } = await sql<Row>`select * from ${sql.table(table)} order by ${order}`.execute(store.db);

  return rows;
};

/** Values that a check of the column allows. */
const others = {
  node: { state: sql`case state when 'lost' then 'stopped' else 'lost' end` },
  session: { state: sql`case state when 'DELETED' then 'CLOSED_ERROR' else 'DELETED' end` },
} as const;

/** Another value of a column, by its type. */
const otherValue = (column: string, dataType: string) => {
  const value = sql.ref(column);
  switch (dataType) {
    case 'text':
      return sql`coalesce(${value}, '') || 'x'`;
    case 'bigint':
      return sql`${value} + 1000000`;
    case 'boolean':
      return sql`not ${value}`;
    case 'timestamp with time zone':
      return sql`coalesce(${value}, now()) + interval '1 second'`;
    case 'jsonb':
      return sql`coalesce(${value}, '{}') || '{"altered": true}'`;
    case 'ARRAY':
      return sql`array_append(${value}, 'altered')`;
    case 'uuid':
      return sql`gen_random_uuid()`;
    default:
      throw new RangeError(`no other value of a column of the type ${dataType}`);
  }
};

const columnsOf = async (
  { store }: Archive,
  table: FollowingTable | 'event',
): Promise<readonly { readonly column: string; readonly dataType: string }[]> => {
  const { rows } = await sql<{ readonly column: string; readonly dataType: string }>`
    select column_name as column, data_type as "dataType" from information_schema.columns
    where table_schema = 'public' and table_name = ${table} order by ordinal_position`.execute(store.db);

  return rows;
};

const whereKey = (row: Row, key: readonly string[]) =>
  sql.join(
    key.map((column) => sql`${sql.ref(column)} = ${row[column]}`),
    sql` and `,
  );

const set = async (
  archive: Archive,
  table: FollowingTable | 'event',
  row: Row,
  { column, dataType }: { readonly column: string; readonly dataType: string },
): Promise<void> => {
  const byTable: Readonly<Record<string, Readonly<Record<string, ReturnType<typeof otherValue>>>>> = others;
  const value = byTable[table]?.[column] ?? otherValue(column, dataType);
  const key = table === 'event' ? ['id'] : followingTables[table].key;
  const { numAffectedRows } = await sql`
    update ${sql.table(table)} set ${sql.ref(column)} = ${value} where ${whereKey(row, key)}`.execute(
    archive.store.db,
  );
  assert.equal(numAffectedRows, 1n);
};

/** What was done to a row: `column` undefined: it is gone. */
export type AlteredRow = { readonly row: Row; readonly column: string | undefined };

/** Alters a column of a row, or deletes the row, all by chance. Rows that others refer to are only altered. */
export const alterRow = async (
  archive: Archive,
  table: FollowingTable,
  draw: Draw,
  isMeant: (row: Row) => boolean = () => true,
): Promise<AlteredRow> => {
  const row = draw((await rowsOf(archive, table)).filter(isMeant));
  const { key, besides } = followingTables[table];
  const fixed: readonly string[] = [...key, ...besides];
  const columns = (await columnsOf(archive, table)).filter(({ column }) => !fixed.includes(column));
  const chosen = draw([...columns, ...(table === 'subscription' ? [] : (['gone'] as const))]);
  if (chosen === 'gone') {
    await sql`delete from ${sql.table(table)} where ${whereKey(row, key)}`.execute(archive.store.db);

    return { row, column: undefined };
  }
  await set(archive, table, row, chosen);

  return { row, column: chosen.column };
};

/** Alters a column of a stored event, by chance. Returns which. */
export const alterStoredEvent = async (archive: Archive, id: string, draw: Draw): Promise<string> => {
  const chosen = draw(await columnsOf(archive, 'event'));
  await set(archive, 'event', { id }, chosen);

  return chosen.column;
};
