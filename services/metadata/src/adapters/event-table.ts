import type { Position } from '@reelstream/bus';
import type { RawEvent } from '@reelstream/events';
import type { Database, Kysely } from '@reelstream/store';

export type TableEvent = { readonly position: Position; readonly envelope: RawEvent };

/** Committed events after a position, in the order of the stream; of one subject's key, or of all. */
export const eventsAfter = async (
  db: Kysely<Database>,
  query: { readonly after: Position; readonly key: string | undefined; readonly limit: number },
): Promise<readonly TableEvent[]> => {
  const { after, key, limit } = query;
  let select = db
    .selectFrom('event')
    .select(['generation', 'sequence', 'envelope'])
    .where((where) =>
      where(where.refTuple('generation', 'sequence'), '>', where.tuple(after.generation, after.sequence)),
    )
    .orderBy('generation')
    .orderBy('sequence')
    .limit(limit);
  if (key !== undefined) select = select.where('subject', '=', key);
  const rows = await select.execute();

  return rows.map(({ generation, sequence, envelope }) => ({ position: { generation, sequence }, envelope }));
};

/** A committed event. */
export const findEvent = async (db: Kysely<Database>, id: string): Promise<RawEvent | undefined> => {
  const row = await db.selectFrom('event').select('envelope').where('id', '=', id).executeTakeFirst();

  return row?.envelope;
};
