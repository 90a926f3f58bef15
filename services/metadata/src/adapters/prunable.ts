import { legalHoldTag } from '@reelstream/domain';
import type { PruneCandidate } from '@reelstream/domain';
import { sql } from '@reelstream/store';
import type { Database, Kysely } from '@reelstream/store';

const hasMedia = sql<boolean>`doc ? 'recording' and not doc ? 'removedAt'`;
const isHeld = sql<boolean>`tags @> array[${legalHoldTag}]::text[]`;

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
    .where(hasMedia)
    .where(sql<boolean>`not ${isHeld}`)
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
    .where(sql<boolean>`not ${isHeld}`)
    .orderBy(sql`doc ->> 'removedAt'`)
    .limit(limit)
    .execute();

  return rows.map(({ doc }) => doc);
};

/** Whether its media is there still, and nobody holds it. */
export const isPrunable = async (db: Kysely<Database>, sessionId: string): Promise<boolean> => {
  const row = await db
    .selectFrom('session')
    .select('session_id')
    .where('session_id', '=', sessionId)
    .where('state', '<>', 'DELETED')
    .where(hasMedia)
    .where(sql<boolean>`not ${isHeld}`)
    .executeTakeFirst();

  return row !== undefined;
};

/** Counted so far only: the status is asked often. */
const mostCounted = 10_000;

/** How many sessions with media a legal hold keeps, and how many have reached the age of pruning; 10,000 of each at most. */
export const countPrunable = async (
  db: Kysely<Database>,
  beforeMs: number | undefined,
): Promise<{ readonly due: number; readonly held: number }> => {
  const withMedia = db
    .selectFrom('session')
    .select('session_id')
    .where('ended_at', 'is not', null)
    .where('state', '<>', 'DELETED')
    .where(hasMedia)
    .limit(mostCounted);
  const held = withMedia.where(isHeld);
  const due = withMedia.where('ended_at', '<', new Date(beforeMs ?? 0)).where(sql<boolean>`not ${isHeld}`);
  const row = await db
    .selectNoFrom((of) => [
      of.selectFrom(due.as('due')).select(of.fn.countAll<string>().as('count')).as('due'),
      of.selectFrom(held.as('held')).select(of.fn.countAll<string>().as('count')).as('held'),
    ])
    .executeTakeFirst();

  return { due: Number(row?.due ?? 0), held: Number(row?.held ?? 0) };
};
