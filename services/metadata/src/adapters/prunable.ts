import { legalHoldTag } from '@reelstream/domain';
import type { PruneCandidate } from '@reelstream/domain';
import { sql } from '@reelstream/store';
import type { Database, Kysely } from '@reelstream/store';

/** A node's sessions whose media is there and nobody holds, oldest end first. */
export const oldestWithMedia = async (
  db: Kysely<Database>,
  home: string,
  limit: number,
): Promise<readonly (PruneCandidate & { readonly host: string })[]> => {
  const rows = await db
    .selectFrom('session')
    .select('doc')
    .where('home', '=', home)
    .where('ended_at', 'is not', null)
    .where('state', '<>', 'DELETED')
    .where(sql<boolean>`doc ? 'recording' and not doc ? 'removedAt'`)
    .where(sql<boolean>`not tags @> array[${legalHoldTag}]::text[]`)
    .orderBy('ended_at')
    .limit(limit)
    .execute();

  return rows.map(({ doc }) => doc);
};

/** Sessions whose media was taken away before this, and that are not deleted or held; the longest ago first. */
export const prunedBefore = async (
  db: Kysely<Database>,
  beforeMs: number,
  limit: number,
): Promise<readonly PruneCandidate[]> => {
  const rows = await db
    .selectFrom('session')
    .select('doc')
    .where('state', '<>', 'DELETED')
    .where(sql<boolean>`doc ? 'removedAt' and doc ->> 'removedAt' < ${new Date(beforeMs).toISOString()}`)
    .where(sql<boolean>`not tags @> array[${legalHoldTag}]::text[]`)
    .orderBy(sql`doc ->> 'removedAt'`)
    .limit(limit)
    .execute();

  return rows.map(({ doc }) => doc);
};

/** How many sessions with media a legal hold keeps, and how many have reached the age of pruning. */
export const countPrunable = async (
  db: Kysely<Database>,
  beforeMs: number | undefined,
): Promise<{ readonly due: number; readonly held: number }> => {
  const isHeld = sql<boolean>`tags @> array[${legalHoldTag}]::text[]`;
  const isOld = sql<boolean>`ended_at < ${new Date(beforeMs ?? 0)}::timestamptz`;
  const row = await db
    .selectFrom('session')
    .select([
      sql<string>`count(*) filter (where ${isOld} and not ${isHeld})`.as('due'),
      sql<string>`count(*) filter (where ${isHeld})`.as('held'),
    ])
    .where('ended_at', 'is not', null)
    .where('state', '<>', 'DELETED')
    .where(sql<boolean>`doc ? 'recording' and not doc ? 'removedAt'`)
    .where(sql<boolean>`(${isOld} or ${isHeld})`)
    .executeTakeFirst();

  return { due: Number(row?.due ?? 0), held: Number(row?.held ?? 0) };
};
