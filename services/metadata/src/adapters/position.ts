import { formatPosition } from '@reelstream/bus';
import type { Database, Kysely, Transaction } from '@reelstream/store';
import { sql } from '@reelstream/store';

/** How far this server's database has committed, and in which generation of the stream. */
export type StoredPosition = {
  readonly generation: number;
  readonly sequence: number;
  /** Sequence at which the generation began. */
  readonly base: number;
  /** The last event at or before `sequence`: the stream must hold it there. */
  readonly anchor: { readonly sequence: number; readonly id: string } | undefined;
};

/** Another process of this server has applied what we were about to: read the position anew. */
export class PositionMovedError extends Error {
  readonly code = 'POSITION_MOVED';
  readonly fault = 'theirs';

  constructor(expected: StoredPosition, found: StoredPosition | undefined) {
    const is = found ? formatPosition(found) : 'gone';
    super(`the position was ${formatPosition(expected)} and is ${is}: another process applies too`);
    this.name = 'PositionMovedError';
  }
}

const beginning: StoredPosition = { generation: 1, sequence: 0, base: 0, anchor: undefined };

const select = (db: Kysely<Database>, server: string) =>
  db.selectFrom('position').selectAll().where('server', '=', server);

type Row = Awaited<ReturnType<ReturnType<typeof select>['executeTakeFirstOrThrow']>>;

const fromRow = (row: Row): StoredPosition => ({
  generation: row.generation,
  sequence: row.sequence,
  base: row.base,
  anchor:
    row.event_sequence === null || row.event_id === null
      ? undefined
      : { sequence: row.event_sequence, id: row.event_id },
});

const toRow = (position: StoredPosition) => ({
  generation: position.generation,
  sequence: position.sequence,
  base: position.base,
  event_sequence: position.anchor?.sequence ?? null,
  event_id: position.anchor?.id ?? null,
});

/** Reads the position; a database that has none begins before the first event of the first generation. */
export const readPosition = async (db: Kysely<Database>, server: string): Promise<StoredPosition> => {
  await db
    .insertInto('position')
    .values({ server, ...toRow(beginning) })
    .onConflict((conflict) => conflict.column('server').doNothing())
    .execute();

  return fromRow(await select(db, server).executeTakeFirstOrThrow());
};

/** Locks the position for this transaction. Throws PositionMovedError if it isn't where we left it. */
export const lockPosition = async (
  trx: Transaction<Database>,
  server: string,
  expected: StoredPosition,
): Promise<void> => {
  const row = await select(trx, server).forUpdate().executeTakeFirst();
  const found = row && fromRow(row);
  if (found?.generation !== expected.generation || found.sequence !== expected.sequence)
    throw new PositionMovedError(expected, found);
};

export const writePosition = async (
  trx: Transaction<Database>,
  server: string,
  position: StoredPosition,
): Promise<void> => {
  await trx
    .updateTable('position')
    .set({ ...toRow(position), changed_at: sql<Date>`now()` })
    .where('server', '=', server)
    .execute();
};
