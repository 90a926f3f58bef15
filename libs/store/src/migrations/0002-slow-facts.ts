import { sql } from 'kysely';
import type { Kysely } from 'kysely';

const statements = [
  `create table slow_fact (
    bucket text not null,
    key text not null,
    value jsonb,
    generation bigint not null,
    sequence bigint not null,
    created_at timestamptz not null,
    changed_at timestamptz not null,
    primary key (bucket, key)
  )`,

  `create table media_file (
    media_file_id uuid primary key,
    name text not null,
    created_at timestamptz not null,
    deleted_at timestamptz
  )`,

  `create index session_by_call on session using gin ((doc -> 'dialogs') jsonb_path_ops)`,
  `create index event_attempt_by_call on event ((envelope -> 'data' ->> 'callId'))
    where type in ('attempt.refused', 'attempt.cancelled', 'attempt.lost')`,
];

export const slowFacts = {
  async up(db: Kysely<unknown>): Promise<void> {
    for (const statement of statements) await sql.raw(statement).execute(db);
  },
};
