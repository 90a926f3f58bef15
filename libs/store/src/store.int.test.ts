import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startPostgres, waitFor } from '@reelstream/testing';
import type { TestPostgres } from '@reelstream/testing';
import { sql } from 'kysely';
import type { Column } from './columns.ts';
import { tables } from './schema.ts';
import { openStore } from './store.ts';
import type { Store } from './store.ts';

const hears = (what: string, heard: () => boolean): Promise<boolean> =>
  waitFor(() => heard() || undefined, { deadlineMs: 30_000, describe: `never heard ${what}` });

let postgres: TestPostgres;
let store: Store;

before(async () => {
  postgres = await startPostgres();
  store = openStore(postgres.url, { maxConnections: 4 });
});

after(async () => {
  await store.close();
  await postgres[Symbol.asyncDispose]();
});

test('several processes migrate an empty database at once, and again, without harm', async () => {
  const others = [1, 2, 3].map(() => openStore(postgres.url, { maxConnections: 2 }));
  await Promise.all([store, ...others].map((each) => each.migrate()));
  await store.migrate();
  await Promise.all(others.map((each) => each.close()));
});

test('the typed tables are the migrated ones, column by column', async () => {
  const { rows } = await sql<{
    table: string;
    column: string;
    sqlType: string;
    nullable: boolean;
    hasDefault: boolean;
  }>`
    select table_name as table, column_name as column, data_type as "sqlType",
      is_nullable = 'YES' as nullable, column_default is not null as "hasDefault"
    from information_schema.columns
    where table_schema = 'public' and table_name not like 'kysely%'`.execute(store.db);

  const actual = rows.map((row) => JSON.stringify(row)).toSorted();
  const typed = Object.entries(tables).flatMap(([table, columns]) =>
    Object.entries<Column>(columns).map(([column, { sqlType, nullable, hasDefault }]) =>
      JSON.stringify({ table, column, sqlType, nullable, hasDefault }),
    ),
  );
  assert.deepEqual(actual, typed.toSorted());
});

test('a bigint is read as a number', async () => {
  const { rows } = await sql<{ n: number }>`select 9007199254740991::bigint as n`.execute(store.db);
  assert.equal(rows[0]?.n, Number.MAX_SAFE_INTEGER);
});

test('a listener hears notifications again after the server was killed, and nothing crashes', async () => {
  const heard: string[] = [];
  const stop = store.listen('delivery', (payload) => heard.push(payload));
  await hears('the connect', () => heard.length > 0);
  await sql`select pg_notify('delivery', 'one')`.execute(store.db);
  await hears('one', () => heard.includes('one'));

  await postgres.kill();
  await assert.rejects(store.ping());
  await postgres.restart();
  await hears('the reconnect', () => heard.filter((payload) => payload === '').length === 2);
  await sql`select pg_notify('delivery', 'two')`.execute(store.db);
  await hears('two', () => heard.includes('two'));
  await stop();
});

test('a store closes while its server is away', async () => {
  const lonely = openStore('postgres://nobody@127.0.0.1:1/nothing');
  lonely.listen('delivery', () => undefined);
  await assert.rejects(lonely.ping());
  await lonely.close();
});
