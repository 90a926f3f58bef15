import { setTimeout as sleep } from 'node:timers/promises';
import type { Bus, NodeWatch } from '@reelstream/bus';
import { sql } from '@reelstream/store';
import type { Database, Kysely, Store } from '@reelstream/store';
import type { StoredPosition } from '../adapters/position.ts';
import type { Progress } from '../progress.ts';
import { checkStream } from '../rewind.ts';
import type { SlowFactMirror } from '../slow-facts.ts';
import { collect, lookAgain } from './collect.ts';
import type { Places } from './collect.ts';
import { Homes } from './homes.ts';
import type { Foldered } from './homes.ts';
import { judge } from './judge.ts';
import type { Found } from './judge.ts';
import { commonBound, Listing } from './listing.ts';
import { mend } from './mend.ts';
import type { Mending } from './mend.ts';
import { Numbering } from './numbering.ts';
import { sessionReport } from './report.ts';
import type { HomeReport, ReportLine } from './report.ts';
import { compareShared } from './shared.ts';
import { storedAfter } from './stored.ts';
import { StreamedEvents } from './streamed.ts';
import { Unproven } from './unproven.ts';

export type Reconciling = {
  readonly store: Store;
  readonly bus: Bus;
  readonly watch: NodeWatch;
  readonly progress: Progress;
  readonly slowFacts: SlowFactMirror;
  readonly server: string;
};

export type ReconcileOptions = {
  /** What differs is put right. */
  readonly mend: boolean;
  /** Homes read all media, and compare it with its hashes. */
  readonly media: boolean;
  readonly signal: AbortSignal;
  /** Told line by line; the next waits for it. */
  readonly tell: (line: ReportLine) => Promise<void>;
};

/** Somebody else compares with this database just now. */
export class ReconcileBusyError extends Error {
  override readonly name = 'ReconcileBusyError';
  readonly code = 'RECONCILE_BUSY';
  readonly fault = 'theirs';
}

/** The database does not come to where the stream was. */
export class DatabaseBehindError extends Error {
  override readonly name = 'DatabaseBehindError';
  readonly code = 'DATABASE_BEHIND';
  readonly fault = 'ours';
}

const atOnce = 100;
/** How long after our beginning every home that lives has been heard: they say so once a second. */
const everHeardMs = 3_000;
/** How long what was said again may take to the stream and into the database. */
const mendLimitMs = 20_000;
const lookIntervalMs = 200;
/** How long the database may take to what the stream held at the beginning. */
const catchUpLimitMs = 60_000;

/**
 * Compares what users, nodes and watchdogs said, and the rows that follow from it, between stream and this database; then every
 * session's folder, its events in the stream and its events and rows in this database; some at a time in the order of their ids.
 * Tells each that differs, mended where that was asked for. At last come the figures. Throws ReconcileBusyError.
 */
export const reconcile = (around: Reconciling, options: ReconcileOptions): Promise<void> =>
  // The table of what is streamed lives as long as the connection does that it was made on.
  around.store.db.connection().execute((db) => alone(db, () => compareAll(around, db, options)));

/** One at a time on a database. */
const alone = async (db: Kysely<Database>, work: () => Promise<void>): Promise<void> => {
  const key = sql`hashtext('reelstream.reconcile')`;
  const { rows } = await sql<{ got: boolean }>`select pg_try_advisory_lock(${key}) as got`.execute(db);
  if (!rows[0]?.got) throw new ReconcileBusyError('this database is being reconciled already');
  try {
    await work();
  } finally {
    await sql`select pg_advisory_unlock(${key})`.execute(db).catch(() => undefined);
  }
};

const compareAll = async (
  around: Reconciling,
  db: Kysely<Database>,
  options: ReconcileOptions,
): Promise<void> => {
  const { bus, watch, progress, slowFacts, server } = around;
  const { signal, tell } = options;
  await sleep(Math.max(0, everHeardMs - performance.now()), undefined, { signal });
  const alive = watch.alive('capture').map(({ nodeId }) => nodeId);
  const homes = new Homes(bus, alive, options.media);
  await using streamed = await StreamedEvents.open(db, bus, signal);
  const begun = await caughtUp(around, streamed.window.through, signal);
  const generation = (): number => begun.generation;
  const numbering = await Numbering.read(db, server);
  await using unproven = await Unproven.open(db);
  const places = { homes, streamed, db, generation, numbering, unproven, server };
  const mending: Mending = { ...places, bus, slowFacts, signal };
  const check = (): void => {
    signal.throwIfAborted();
    const now = progress.position?.generation;
    if (now !== begun.generation || numbering.generation !== begun.generation)
      throw new DatabaseBehindError('the stream was put back meanwhile');
  };
  const others = await tellOthers(mending, options, check);
  const sessions = await tellSessions(mending, options, check);
  const away = await homesAway(db, homes);
  for (const home of away) await tell(home);
  await tell({
    kind: 'summary',
    ...sessions,
    otherEvents: others.otherEvents,
    different: others.different + sessions.different,
    mended: others.mended + sessions.mended,
    stream: await streamed.figures(),
    homesAway: away.length,
  });
};

/** Compares what no home wrote. `check` throws where going on makes no sense. Returns what there was of it. */
const tellOthers = async (
  mending: Mending,
  { mend: isMending, tell }: ReconcileOptions,
  check: () => void,
) => {
  const count = { otherEvents: 0, different: 0, mended: 0 };
  const limits = { limit: atOnce, mendLimitMs, lookIntervalMs };
  for await (const { events, reports } of compareShared(mending, { ...limits, mend: isMending })) {
    check();
    count.otherEvents += events;
    count.different += reports.length;
    count.mended += reports.filter(({ mended }) => mended === true).length;
    for (const report of reports) await tell(report);
  }

  return count;
};

/** Compares sessions, likewise. */
const tellSessions = async (
  mending: Mending,
  { mend: isMending, tell }: ReconcileOptions,
  check: () => void,
) => {
  const { streamed, generation } = mending;
  const count = { sessions: 0, events: 0, different: 0, mended: 0 };
  for await (const { ids, folders } of pages(mending)) {
    check();
    const collected = await collect(mending, ids, folders);
    count.sessions += collected.length;
    for (const { stored } of collected) count.events += stored.events.length;
    const suspects = collected.filter((session) => judge(session, streamed.window, generation()));
    const found = await lookAgain(mending, suspects);
    const left = isMending ? await mendAll(mending, found) : found;
    for (const session of found) {
      const isMended = !left.some(({ sessionId }) => sessionId === session.sessionId);
      count.different += 1;
      count.mended += isMended ? 1 : 0;
      await tell({ ...sessionReport(session), ...(isMending && { mended: isMended }) });
    }
  }

  return count;
};

/** What the database is to be compared with, it must have read: this stream, up to there. Returns how far it is. */
const caughtUp = async (
  { progress, bus }: Reconciling,
  through: number,
  signal: AbortSignal,
): Promise<StoredPosition> => {
  const deadline = performance.now() + catchUpLimitMs;
  for (;;) {
    signal.throwIfAborted();
    const { position } = progress;
    const isThere = position && position.sequence >= through && !(await checkStream(bus, position)).loss;
    if (isThere) return position;
    if (performance.now() > deadline)
      throw new DatabaseBehindError(`the database has not come to ${through}, where the stream ended`);
    await progress.nextCommit(lookIntervalMs);
  }
};

type SessionPage = {
  readonly ids: readonly string[];
  /** What the homes told of them, by id. */
  readonly folders: ReadonlyMap<string, Foldered>;
};

/** All sessions that any place knows of, in the order of their ids. */
async function* pages({ homes, streamed, db }: Places): AsyncGenerator<SessionPage, void, undefined> {
  const ofIds = (read: (after: string, limit: number) => Promise<readonly string[]>) =>
    new Listing<object>(async (after) => {
      const ids = await read(after, atOnce);
      const through = ids.length < atOnce ? undefined : ids.at(-1);

      return { items: ids.map((sessionId) => ({ sessionId })), ...(through !== undefined && { through }) };
    });
  const known = [
    ofIds((after, limit) => streamed.sessionsAfter(after, limit)),
    ofIds((after, limit) => storedAfter(db, after, limit)),
  ];
  const folders = homes.alive.map(
    (home) =>
      new Listing<Foldered>(async (after) => {
        const { journals, through } = await homes.journalsAfter(home, after);
        const items = journals.map((journal) => ({ sessionId: journal.sessionId, home, journal }));

        return { items, ...(through !== undefined && { through }) };
      }),
  );
  for (let after: string | undefined = ''; after !== undefined;) {
    const from: string = after;
    const bounds = [];
    for (const listing of [...folders, ...known]) bounds.push(await listing.readOn(from));
    const through = commonBound(bounds);
    const journals = folders.flatMap((listing) => listing.take(through));
    const ids = [...journals, ...known.flatMap((listing) => listing.take(through))];
    yield {
      ids: [...new Set(ids.map(({ sessionId }) => sessionId))].toSorted(),
      folders: new Map(journals.map((folder) => [folder.sessionId, folder])),
    };
    after = through;
  }
}

/** Mends what can be, and waits for it. Returns what is still not as it should be. */
const mendAll = async (mending: Mending, found: readonly Found[]): Promise<readonly Found[]> => {
  for (const session of found) await mend(mending, session);
  const deadline = performance.now() + mendLimitMs;
  for (let left = found; ;) {
    await mending.streamed.readOn();
    left = await lookAgain(mending, left);
    if (left.every(isBeyondMending) || performance.now() > deadline) return left;
    await sleep(lookIntervalMs, undefined, { signal: mending.signal });
  }
};

/** Nobody has another copy of its media, nor of what no place holds any more. */
const isBeyondMending = ({ differences, row, journal }: Found): boolean =>
  row === undefined &&
  (journal?.damagedBytes ?? 0) === 0 &&
  differences.every(({ truth, faults }) => !truth && faults.length === 0);

/** Homes of which the database has sessions, and that can't be asked. */
const homesAway = async (db: Kysely<Database>, homes: Homes): Promise<readonly HomeReport[]> => {
  const rows = await db
    .selectFrom('session')
    .select(({ fn }) => ['home', fn.countAll<number>().as('sessions')])
    .groupBy('home')
    .orderBy('home')
    .execute();

  return rows
    .filter(({ home }) => !homes.isAlive(home))
    .map(({ home, sessions }) => ({ kind: 'home', home, sessions }));
};
