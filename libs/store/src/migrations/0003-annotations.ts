import { sql } from 'kysely';
import type { Kysely } from 'kysely';

const statements = [
  `create table annotation (
    session_id uuid primary key,
    doc jsonb not null
  )`,
  `alter table session
    add column tags text[] not null default '{}',
    add column must_remove boolean not null default false`,
  `create index session_tags on session using gin (tags)`,
  `create index session_to_remove on session (home) where must_remove`,
];

export const annotations = {
  async up(db: Kysely<unknown>): Promise<void> {
    for (const statement of statements) await sql.raw(statement).execute(db);
  },
};
