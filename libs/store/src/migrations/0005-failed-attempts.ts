import { sql } from 'kysely';
import type { Kysely } from 'kysely';

const statements = [
  `drop index event_attempt_by_call`,
  `create index event_attempt_by_call on event ((envelope -> 'data' ->> 'callId'))
    where type in ('attempt.refused', 'attempt.cancelled', 'attempt.lost', 'attempt.failed')`,
];

/** Calls that we placed and nobody answered are found by their Call-ID, too. */
export const failedAttempts = {
  async up(db: Kysely<unknown>): Promise<void> {
    for (const statement of statements) await sql.raw(statement).execute(db);
  },
};
