import { publicSession, tagKey } from '@reelstream/domain';
import type { SessionRecord } from '@reelstream/domain';
import type { PublicSession, SessionState } from '@reelstream/events';
import { sql } from '@reelstream/store';
import type { Database, Kysely } from '@reelstream/store';
import type { SessionCursor } from '../core/cursor.ts';
import { participantKey } from '../core/participants.ts';

export type SessionQuery = {
  readonly state: SessionState | undefined;
  /** Started at or after, RFC 3339. */
  readonly from: string | undefined;
  /** Started before, RFC 3339. */
  readonly to: string | undefined;
  /** Address, its user part, name, device or call leg of a participant. */
  readonly participant: string | undefined;
  /** Unified CM's id of the recorded phone's call leg. */
  readonly xRefCi: string | undefined;
  /** Name of a tag, in any case. */
  readonly tag: string | undefined;
  readonly limit: number;
  readonly after: SessionCursor | undefined;
};

export type SessionPage = {
  readonly items: readonly PublicSession[];
  readonly next: SessionCursor | undefined;
};

/** Sessions newest first; pages by the place where the last one ended, so that new sessions shift nothing. */
export const listSessions = async (db: Kysely<Database>, query: SessionQuery): Promise<SessionPage> => {
  const { state, from, to, participant, xRefCi, tag, limit, after } = query;
  let select = db
    .selectFrom('session')
    .select(['session_id', 'started_at', 'doc'])
    .orderBy('started_at', 'desc')
    .orderBy('session_id', 'desc')
    .limit(limit + 1);
  if (state !== undefined) select = select.where('state', '=', state);
  if (from !== undefined) select = select.where('started_at', '>=', new Date(from));
  if (to !== undefined) select = select.where('started_at', '<', new Date(to));
  if (participant !== undefined)
    select = select.where(sql<boolean>`participants @> array[${participantKey(participant)}]`);
  // The keys have an index and hold this id, too; other sessions may have it as that of their far end.
  if (xRefCi !== undefined)
    select = select
      .where(sql<boolean>`participants @> array[${participantKey(xRefCi)}]`)
      .where(sql<boolean>`doc #>> '{correlation,xRefCi}' = ${xRefCi}`);
  if (tag !== undefined) select = select.where(sql<boolean>`tags @> array[${tagKey(tag)}]`);
  if (after !== undefined)
    select = select.where((where) =>
      where(
        where.refTuple('started_at', 'session_id'),
        '<',
        where.tuple(new Date(after.startedAt), after.sessionId),
      ),
    );
  const rows = await select.execute();
  const page = rows.slice(0, limit);
  const last = rows.length > limit ? page.at(-1) : undefined;

  return {
    items: page.map(({ doc }) => publicSession(doc)),
    next: last && { startedAt: last.started_at.toISOString(), sessionId: last.session_id },
  };
};

export const findSession = async (
  db: Kysely<Database>,
  sessionId: string,
): Promise<SessionRecord | undefined> => {
  const row = await db
    .selectFrom('session')
    .select('doc')
    .where('session_id', '=', sessionId)
    .executeTakeFirst();

  return row?.doc;
};
