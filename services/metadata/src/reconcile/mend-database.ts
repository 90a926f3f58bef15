import type { RawEvent } from '@reelstream/events';
import { familyOf, isEventType } from '@reelstream/events';
import type { Database, Kysely, Transaction } from '@reelstream/store';
import { eventRow, writeAnnotations, writeSessions } from '../adapters/plan.ts';
import type { Found } from './judge.ts';
import { storedSessions } from './stored.ts';

type Target = {
  readonly db: Kysely<Database>;
  readonly server: string;
  readonly generation: () => number;
};

type Trx = Transaction<Database>;

/** Nothing is applied meanwhile: who applies takes this lock, too. */
export const holdApplying = async (trx: Trx, server: string): Promise<void> => {
  await trx.selectFrom('position').select('sequence').where('server', '=', server).forUpdate().execute();
};

/**
 * Puts the events of a session right in the database, and makes the rows that follow from them anew. What the stream lacks, too,
 * comes back by being said again. Nobody is told: what is mended is not news.
 */
export const mendDatabase = async (
  target: Target,
  found: Found,
  truths: ReadonlyMap<number, RawEvent>,
): Promise<void> => {
  const wrong = found.differences.filter(({ faults }) => faults.some(({ place }) => place === 'database'));
  if (wrong.length === 0 && found.row === undefined) return;
  await target.db.transaction().execute(async (trx) => {
    await holdApplying(trx, target.server);
    for (const { version, truth } of wrong) {
      const event = truths.get(version);
      if (event) await putEvent(trx, target, found, event);
      else if (!truth) await dropEvents(trx, found.sessionId, version);
    }
    await makeRows(trx, found.sessionId);
  });
};

const eventsOf = async (trx: Trx, sessionId: string, version: number) =>
  trx
    .selectFrom('event')
    .select(['id', 'family'])
    .where('subject', '=', sessionId)
    .where('family', 'in', ['session', 'recording'])
    .where('version', '=', version)
    .orderBy('generation')
    .orderBy('sequence')
    .execute();

const dropEvents = async (trx: Trx, sessionId: string, version: number): Promise<void> => {
  for (const { id } of await eventsOf(trx, sessionId, version))
    await trx.deleteFrom('event').where('id', '=', id).execute();
};

/** In place of what is there of that version; where nothing is, at the place where the stream has it. */
const putEvent = async (trx: Trx, { generation }: Target, found: Found, event: RawEvent): Promise<void> => {
  const family = isEventType(event.type) ? familyOf(event.type) : 'session';
  const row = { ...eventRow({ family, raw: event }), applied: true };
  const there = await eventsOf(trx, found.sessionId, event.version);
  const known = await trx.selectFrom('event').select('id').where('id', '=', event.id).executeTakeFirst();
  const kept = known?.id ?? there[0]?.id;
  for (const { id } of there) if (id !== kept) await trx.deleteFrom('event').where('id', '=', id).execute();
  if (kept !== undefined) {
    await trx.updateTable('event').set(row).where('id', '=', kept).execute();

    return;
  }
  const at = found.streamed.find(({ version }) => version === event.version);
  if (!at) return;
  await trx
    .insertInto('event')
    .values({ ...row, generation: generation(), sequence: at.sequence })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
};

/** Makes the rows of a session anew from the events that are here, and says of each of these whether it has taken effect. */
export const makeRows = async (trx: Trx, sessionId: string): Promise<void> => {
  const stored = (await storedSessions(trx, [sessionId])).get(sessionId);
  if (!stored) return;
  const { record, annotations, held } = stored.refolded;
  for (const { id, applied } of stored.events)
    if (applied === held.has(id))
      await trx.updateTable('event').set({ applied: !applied }).where('id', '=', id).execute();
  if (record) await writeSessions(trx, { sessions: [record] });
  else await trx.deleteFrom('session').where('session_id', '=', sessionId).execute();
  if (annotations) await writeAnnotations(trx, { annotations: new Map([[sessionId, annotations]]) });
  else await trx.deleteFrom('annotation').where('session_id', '=', sessionId).execute();
};
