import type { StreamedEvent } from '@reelstream/bus';
import { derivedId, understand } from '@reelstream/events';
import type { Database, Transaction } from '@reelstream/store';
import { eventRow } from '../adapters/plan.ts';
import { isOfSession } from '../core/incoming.ts';
import { tablesOf } from '../core/refold-facts.ts';
import { lastWord, makeFollowingRows } from './following-rows.ts';
import type { FoundRow } from './following-rows.ts';
import { holdApplying, makeRows } from './mend-database.ts';
import type { Mending } from './mend.ts';
import type { FoundShared } from './shared-events.ts';

type Trx = Transaction<Database>;

/**
 * Says again what the stream lacks, with the same id, and puts right what is wrong in the database, with the rows that follow from
 * it. Nobody is told: what is mended is not news. Whether it has helped is seen by looking again.
 */
export const mendShared = async (mending: Mending, found: readonly FoundShared[]): Promise<void> => {
  for (const event of found)
    if (event.rightIn === 'database') {
      await sayAgain(mending, event);
      await restate(mending, event);
    }
  const wrong = found.filter(({ rightIn }) => rightIn === 'stream');
  if (wrong.length === 0) return;
  const truths = await truthsOf(mending, wrong);
  await mending.db.transaction().execute(async (trx) => {
    await holdApplying(trx, mending.server);
    for (const event of wrong) {
      const truth = truths.get(event.id);
      if (truth) await putEvent(trx, mending, event, truth);
    }
    const rows = wrong.flatMap(({ type, key }) => tablesOf(type).map((table) => ({ table, key })));
    const sessions = new Set(wrong.filter(({ family }) => isOfSession(family)).map(({ key }) => key));
    await makeFollowingRows(trx, mending, rows);
    for (const sessionId of sessions) await makeRows(trx, sessionId);
  });
  if (wrong.some(({ family }) => !isOfSession(family))) await mending.slowFacts.reload({ mended: true });
};

/** Makes rows anew from the events that are here; buckets follow. */
export const mendRows = async (mending: Mending, found: readonly FoundRow[]): Promise<void> => {
  await mending.db.transaction().execute(async (trx) => {
    await holdApplying(trx, mending.server);
    await makeFollowingRows(trx, mending, found);
  });
  await mending.slowFacts.reload({ mended: true });
};

/** An event that this release doesn't know stays: a newer one says it again. */
const sayAgain = async ({ bus, signal }: Mending, { row }: FoundShared): Promise<void> => {
  const understood = understand(row?.envelope);
  if (understood.status === 'known') await bus.events.republish(understood.event, signal);
};

/**
 * Of rules, controllers and drained nodes the last in the stream counts. What is said again comes behind what was said since, so that
 * has to be said once more, as an event of its own: a database that is filled anew passes over repeats.
 */
const restate = async ({ db, bus, signal }: Mending, { id, key, type }: FoundShared): Promise<void> => {
  if (!tablesOf(type).includes('slow_fact')) return;
  const last = await db.transaction().execute((trx) => lastWord(trx, key, type));
  if (!last || last.id === id) return;
  await bus.events.appendShared({ ...last, id: derivedId('restated', last.id, id) }, signal);
};

const truthsOf = async (
  { bus }: Mending,
  wrong: readonly FoundShared[],
): Promise<ReadonlyMap<string, StreamedEvent>> => {
  const truths = new Map<string, StreamedEvent>();
  for (const { id, streamed } of wrong) {
    const event = streamed && (await bus.events.at(streamed.sequence));
    if (event?.raw.id === id) truths.set(id, event);
  }

  return truths;
};

/** In place of what is there of it; where nothing is, at the place where the stream has it first. */
const putEvent = async (
  trx: Trx,
  { numbering }: Mending,
  { family, row: before, streamed }: FoundShared,
  { raw, event }: StreamedEvent,
): Promise<void> => {
  const row = { ...eventRow({ family, raw }), applied: event !== undefined };
  const sequence = Math.min(...(streamed?.places ?? []));
  const generation = numbering.generationAt(sequence);
  const there = await trx
    .selectFrom('event')
    .select('id')
    .where('generation', '=', generation)
    .where('sequence', '=', sequence)
    .executeTakeFirst();
  const isFree = there === undefined || there.id === before?.id;
  const place = { generation, sequence };
  if (before)
    await trx
      .updateTable('event')
      .set(isFree ? { ...row, ...place } : row)
      .where('id', '=', before.id)
      .execute();
  else if (isFree)
    await trx
      .insertInto('event')
      .values({ ...row, ...place })
      .execute();
};
