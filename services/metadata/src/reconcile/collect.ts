import type { Database, Kysely } from '@reelstream/store';
import type { Foldered, Homes } from './homes.ts';
import { judge } from './judge.ts';
import type { Collected, Found } from './judge.ts';
import { storedSessions } from './stored.ts';
import type { StreamedEvents } from './streamed.ts';

/** Where the copies of sessions are to be had. */
export type Places = {
  readonly homes: Homes;
  readonly streamed: StreamedEvents;
  readonly db: Kysely<Database>;
  /** Generation of the stream that the database reads now. */
  readonly generation: () => number;
};

/** Brings together what each place has of these sessions; folders by what was read of them before. */
export const collect = async (
  { homes, streamed, db }: Places,
  sessionIds: readonly string[],
  folders: ReadonlyMap<string, Foldered>,
): Promise<readonly Collected[]> => {
  const inStream = await streamed.of(sessionIds);
  // Last: what is released from a journal is in the database.
  const inDatabase = await storedSessions(db, sessionIds);

  return sessionIds.flatMap((sessionId): Collected[] => {
    const stored = inDatabase.get(sessionId);
    const events = inStream.get(sessionId) ?? [];
    const folder = folders.get(sessionId);
    const home = folder?.home ?? stored?.home ?? events[0]?.writer;
    const isHomeAlive = home !== undefined && homes.isAlive(home);

    return stored
      ? [{ sessionId, home, isHomeAlive, journal: folder?.journal, streamed: events, stored }]
      : [];
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
