import type { Database, Kysely } from '@reelstream/store';
import type { Foldered, Homes } from './homes.ts';
import { judge } from './judge.ts';
import type { Collected, Found } from './judge.ts';
import type { Numbering } from './numbering.ts';
import { storedSessions } from './stored.ts';
import type { StreamedEvents } from './streamed.ts';
import { groundName } from './unproven.ts';
import type { Unproven } from './unproven.ts';

/** Where the copies of sessions are to be had. */
export type Places = {
  readonly homes: Homes;
  readonly streamed: StreamedEvents;
  readonly db: Kysely<Database>;
  /** The database server whose database it is. */
  readonly server: string;
  readonly numbering: Numbering;
  /** Rows that follow from an event of users, nodes or watchdogs which is not right in the database. */
  readonly unproven: Unproven;
  /** Generation of the stream that the database reads now. */
  readonly generation: () => number;
};

/** Brings together what each place has of these sessions; folders by what was read of them before. */
export const collect = async (
  { homes, streamed, db, unproven }: Places,
  sessionIds: readonly string[],
  folders: ReadonlyMap<string, Foldered>,
): Promise<readonly Collected[]> => {
  const inStream = await streamed.of(sessionIds);
  // Last: what is released from a journal is in the database.
  const inDatabase = await db
    .transaction()
    .setIsolationLevel('repeatable read')
    .execute((trx) => storedSessions(trx, sessionIds));
  // Its rows follow from what users say of it and from losses of its home, too.
  const groundsOf = (sessionId: string): readonly string[] => [
    groundName('session', sessionId),
    groundName('home', inDatabase.get(sessionId)?.home ?? ''),
  ];
  const without = await unproven.among(sessionIds.flatMap(groundsOf));

  return sessionIds.flatMap((sessionId): Collected[] => {
    const stored = inDatabase.get(sessionId);
    const events = inStream.get(sessionId) ?? [];
    const folder = folders.get(sessionId);
    const home = folder?.home ?? stored?.home ?? events[0]?.writer;
    const isHomeAlive = home !== undefined && homes.isAlive(home);

    if (!stored) return [];
    const isProven = groundsOf(sessionId).every((name) => !without.has(name));
    const unjudged = { ...stored, row: undefined, refolded: { ...stored.refolded, lostTags: [] } };
    const judged = isProven ? stored : unjudged;

    return [{ sessionId, home, isHomeAlive, journal: folder?.journal, streamed: events, stored: judged }];
  });
};

/** Looks at sessions anew, each by itself: what was read at different times may only have looked different. */
export const lookAgain = async (places: Places, seen: readonly Collected[]): Promise<readonly Found[]> => {
  const { homes, streamed, generation } = places;
  const found: Found[] = [];
  for (const { sessionId, home } of seen) {
    const journal = home === undefined ? undefined : await homes.journalOf(home, sessionId);
    const folders = new Map(home !== undefined && journal ? [[sessionId, { home, journal }]] : []);
    for (const collected of await collect(places, [sessionId], folders)) {
      const known = collected.home === undefined && home !== undefined ? { ...collected, home } : collected;
      const judged = judge(known, streamed.window, generation());
      if (judged) found.push(judged);
    }
  }

  return found;
};
