import { isDeepStrictEqual } from 'node:util';
import type { AnnotationEvent, Annotations } from '@reelstream/domain';
import { digestOf, familyOf, isEventType, understand } from '@reelstream/events';
import type { DomainEvent, EventOf, RawEvent } from '@reelstream/events';
import { sql } from '@reelstream/store';
import type { Database, EventRow, Kysely, SessionRow } from '@reelstream/store';
import { fromStored } from '../adapters/known.ts';
import { eventRow, sessionRow } from '../adapters/plan.ts';
import { isHomeWritten } from '../core/incoming.ts';
import { refold } from '../core/refold.ts';
import type { Placed, Refolded } from '../core/refold.ts';

/** An event of a session as the database holds it. */
export type StoredEvent = {
  readonly id: string;
  readonly version: number;
  /** Of the envelope; another where the row says otherwise than its envelope, or waits though it need not. */
  readonly digest: string;
  readonly generation: number;
  readonly sequence: number;
  readonly envelope: RawEvent;
  readonly applied: boolean;
};

/** What the database holds of a session. */
export type StoredSession = {
  readonly events: readonly StoredEvent[];
  /** What its rows would say, were they made of the events that are here. */
  readonly refolded: Refolded;
  /** How the rows that follow from its events fail to say that. */
  readonly row: 'missing' | 'altered' | undefined;
  readonly home: string | undefined;
};

/** Of the envelope; undefined where the columns beside it say otherwise. */
export const digestOfRow = (row: EventRow): string | undefined => {
  const { envelope } = row;
  const { type } = envelope;
  const said = eventRow({ family: isEventType(type) ? familyOf(type) : row.family, raw: envelope });
  const columns = { ...said, envelope: undefined, time: new Date(said.time).getTime() };
  const { generation: _place, sequence: _in, applied: _done, ...found } = row;
  const isSame = isDeepStrictEqual({ ...found, envelope: undefined, time: row.time.getTime() }, columns);

  return isSame ? digestOf(envelope) : undefined;
};

/** An event of its home; not one of another type whose row was altered. */
const isOwn = ({ family, type }: Pick<EventRow, 'family' | 'type'>): boolean =>
  isHomeWritten(family) && (!isEventType(type) || isHomeWritten(familyOf(type)));

const understoodOf = (rows: readonly EventRow[]): readonly Placed<DomainEvent>[] =>
  rows.flatMap(({ generation, sequence, envelope }) => {
    const understood = understand(envelope);

    return understood.status === 'known' ? [{ generation, sequence, event: understood.event }] : [];
  });

const isSaid = (event: DomainEvent): event is AnnotationEvent => familyOf(event.type) === 'annotation';

const rowFault = (
  { record, annotations }: Refolded,
  row: SessionRow | undefined,
  said: Annotations | undefined,
): StoredSession['row'] => {
  const isSaidRight = isDeepStrictEqual(said, annotations && JSON.parse(JSON.stringify(annotations)));
  if ((record && !row) || (annotations && !said)) return 'missing';
  if (!record || !row) return row || !isSaidRight ? 'altered' : undefined;
  const wanted = sessionRow(record);
  const found = {
    ...row,
    started_at: row.started_at.toISOString(),
    ended_at: row.ended_at?.toISOString() ?? null,
  };
  const doc: unknown = JSON.parse(wanted.doc);

  return isSaidRight && isDeepStrictEqual(found, { ...wanted, doc }) ? undefined : 'altered';
};

const lossesOf = async (
  db: Kysely<Database>,
  homes: readonly string[],
): Promise<ReadonlyMap<string, readonly Placed<EventOf<'node.lost'>>[]>> => {
  if (homes.length === 0) return new Map();
  const rows = await db
    .selectFrom('event')
    .selectAll()
    .where('subject', 'in', [...homes])
    .where('type', '=', 'node.lost')
    .execute();
  const losses = new Map<string, Placed<EventOf<'node.lost'>>[]>();
  for (const { event, ...place } of understoodOf(rows))
    if (event.type === 'node.lost')
      losses.set(event.subject, [...(losses.get(event.subject) ?? []), { ...place, event }]);

  return losses;
};

/** Of a session that lacks nothing no event waits; of another it is seen once that is there. */
const storedEvent = (row: EventRow, { held }: Refolded): StoredEvent => ({
  ...row,
  digest: ((row.applied || held.size > 0) && digestOfRow(row)) || `row ${row.id}`,
});

const sessionId = '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$';

/** What the database holds of each of these sessions, by id. */
export const storedSessions = async (
  db: Kysely<Database>,
  sessionIds: readonly string[],
): Promise<ReadonlyMap<string, StoredSession>> => {
  if (sessionIds.length === 0) return new Map();
  const ids = [...sessionIds];
  const events = Map.groupBy(
    await db
      .selectFrom('event')
      .selectAll()
      .where('subject', 'in', ids)
      .where('family', 'in', ['session', 'recording', 'annotation'])
      .orderBy('generation')
      .orderBy('sequence')
      .execute(),
    ({ subject }) => subject,
  );
  const sessions = await db.selectFrom('session').selectAll().where('session_id', 'in', ids).execute();
  const rows = new Map(sessions.map((row) => [row.session_id, row]));
  const annotations = await db.selectFrom('annotation').selectAll().where('session_id', 'in', ids).execute();
  const said = new Map(annotations.map((row) => [row.session_id, row.doc]));
  const losses = await lossesOf(db, [...new Set(sessions.map(({ home }) => home))]);

  return new Map(
    ids.map((id) => {
      const all = events.get(id) ?? [];
      const own = all.filter(isOwn);
      const row = rows.get(id);
      const home = row?.home ?? own[0]?.envelope.source.split('/').at(-1);
      const refolded = refold({
        events: own.map((event) => ({ ...fromStored(event), generation: event.generation })),
        said: understoodOf(all).flatMap(({ event }) => (isSaid(event) ? [event] : [])),
        losses: losses.get(home ?? '') ?? [],
        row: said.get(id),
      });

      return [
        id,
        {
          events: own.map((event) => storedEvent(event, refolded)),
          refolded,
          row: rowFault(refolded, row, said.get(id)),
          home,
        },
      ];
    }),
  );
};

/** Sessions that the database knows, by their events, by what was said of them or by their rows, in the order of their ids. */
export const storedAfter = async (
  db: Kysely<Database>,
  after: string,
  limit: number,
): Promise<readonly string[]> => {
  const events = await db
    .selectFrom('event')
    .select('subject')
    .distinct()
    .where('family', 'in', ['session', 'recording', 'annotation'])
    .where('subject', '>', after)
    // What was altered so that it looks like an event of a session has another key.
    .where(sql<boolean>`subject ~ ${sessionId}`)
    .orderBy('subject')
    .limit(limit)
    .execute();
  const ids = events.map(({ subject }) => subject);
  for (const table of ['session', 'annotation'] as const) {
    let rows = db.selectFrom(table).select('session_id').orderBy('session_id').limit(limit);
    if (after !== '') rows = rows.where('session_id', '>', after);
    ids.push(...(await rows.execute()).map(({ session_id: id }) => id));
  }

  return [...new Set(ids)].toSorted().slice(0, limit);
};
