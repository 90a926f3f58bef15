import { sql } from 'kysely';
import type { Kysely } from 'kysely';
import { Migrator } from 'kysely/migration';
import { StoreMigrationError } from './errors.ts';
import { first } from './migrations/0001-first.ts';
import { slowFacts } from './migrations/0002-slow-facts.ts';
import { annotations } from './migrations/0003-annotations.ts';
import { retention } from './migrations/0004-retention.ts';
import { failedAttempts } from './migrations/0005-failed-attempts.ts';

/** In the order of their names. A migration that was released is never changed. */
const migrations = {
  '0001-first': first,
  '0002-slow-facts': slowFacts,
  '0003-annotations': annotations,
  '0004-retention': retention,
  '0005-failed-attempts': failedAttempts,
};

/** Any number of ours: one lock for all processes that migrate this database. */
const migrationLock = 7_335_350_117;

/**
 * Brings the database to the newest schema; does nothing where it is there already. Processes that start together
 * wait for one another. Throws StoreMigrationError.
 */
export const migrateToLatest = async <T>(db: Kysely<T>): Promise<void> => {
  await db.connection().execute(async (connection) => {
    // A session lock around all of it: creating the migrator's own tables is not safe in parallel.
    await sql`select pg_advisory_lock(${sql.lit(migrationLock)})`.execute(connection);
    try {
      const migrator = new Migrator({
        db: connection,
        provider: { getMigrations: async () => migrations },
      });
      const { error, results } = await migrator.migrateToLatest();
      const failed = results?.find(({ status }) => status === 'Error')?.migrationName;
      if (error !== undefined) throw new StoreMigrationError(failed, error);
    } finally {
      await sql`select pg_advisory_unlock(${sql.lit(migrationLock)})`.execute(connection);
    }
  });
};
