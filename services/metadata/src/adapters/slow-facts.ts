import type { SlowFactBucket } from '@reelstream/events';
import { toJson } from '@reelstream/store';
import type { Database, Kysely, SlowFactRow, Transaction } from '@reelstream/store';
import { isSlowFact, placeOf } from '../core/slow-facts.ts';
import type { KnownSlowFact, SlowFactState } from '../core/slow-facts.ts';
import type { Incoming } from '../core/incoming.ts';

/** What is in one bucket, by age. Those that are gone are left out. */
export const listSlowFacts = (db: Kysely<Database>, bucket: SlowFactBucket): Promise<SlowFactRow[]> =>
  db
    .selectFrom('slow_fact')
    .selectAll()
    .where('bucket', '=', bucket)
    .where('value', 'is not', null)
    .orderBy('created_at')
    .orderBy('key')
    .execute();

/** A slow fact, there or gone. */
export const findSlowFact = (
  db: Kysely<Database>,
  bucket: SlowFactBucket,
  key: string,
): Promise<SlowFactRow | undefined> =>
  db
    .selectFrom('slow_fact')
    .selectAll()
    .where('bucket', '=', bucket)
    .where('key', '=', key)
    .executeTakeFirst();

/** Every slow fact that ever was: what the bus's buckets should hold. */
export const allSlowFacts = (db: Kysely<Database>): Promise<SlowFactRow[]> =>
  db.selectFrom('slow_fact').selectAll().orderBy('generation').orderBy('sequence').execute();

/** What the table knows of the slow facts that a batch speaks of. */
export const loadSlowFacts = async (
  trx: Transaction<Database>,
  batch: readonly Incoming[],
): Promise<readonly KnownSlowFact[]> => {
  const keys = [
    ...new Set(batch.flatMap(({ event }) => (event && isSlowFact(event) ? [placeOf(event).key] : []))),
  ];
  if (keys.length === 0) return [];
  const rows = await trx.selectFrom('slow_fact').selectAll().where('key', 'in', keys).execute();

  return rows.map(({ bucket, key, value, created_at: createdAt }) => ({
    bucket,
    key,
    isThere: value !== null,
    createdAt: createdAt.toISOString(),
  }));
};

/** The row of a slow fact. */
export const slowFactRow = (
  { bucket, key, value, sequence, createdAt, changedAt }: SlowFactState,
  generation: number,
) => ({
  bucket,
  key,
  value: value === null ? null : toJson(value),
  generation,
  sequence,
  created_at: createdAt,
  changed_at: changedAt,
});

export const writeSlowFact = async (
  trx: Transaction<Database>,
  fact: SlowFactState,
  generation: number,
): Promise<void> => {
  const { bucket, key, ...changing } = slowFactRow(fact, generation);
  await trx
    .insertInto('slow_fact')
    .values({ bucket, key, ...changing })
    .onConflict((conflict) => conflict.columns(['bucket', 'key']).doUpdateSet(changing))
    .execute();
};

/**
 * After a rewind: what was written at places that the stream has lost counts as written at the last common one, so that
 * whatever follows is newer.
 */
export const rewindSlowFacts = async (
  trx: Transaction<Database>,
  { generation, sequence }: { readonly generation: number; readonly sequence: number },
): Promise<void> => {
  await trx.updateTable('slow_fact').set({ generation, sequence }).where('sequence', '>', sequence).execute();
};
