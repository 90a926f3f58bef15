import { sql } from 'kysely';
import type { Kysely } from 'kysely';

const statements = [
  `create index session_with_media on session (home, ended_at)
    where ended_at is not null and doc ? 'recording' and not doc ? 'removedAt'`,
  `create index session_pruned on session ((doc ->> 'removedAt'))
    where doc ? 'removedAt' and state <> 'DELETED'`,
];

/** Finds what retention looks for, without reading every session. */
export const retention = {
  async up(db: Kysely<unknown>): Promise<void> {
    for (const statement of statements) await sql.raw(statement).execute(db);
  },
};
