import { copyFile, mkdir, readdir, rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { evolveSession } from '@reelstream/domain';
import type { SessionEvent, SessionRecord } from '@reelstream/domain';
import { eventSubject } from '@reelstream/events';
import type { RawEvent } from '@reelstream/events';
import { journalFile, mendJournal } from '@reelstream/recording';
import type { JournalContents, JournalDamage, Manifest } from '@reelstream/recording';
import { folderOf } from './capture-node.ts';
import type { CaptureNode } from './capture-node.ts';
import { rebuild } from './core/rebuild.ts';
import { sessionEvents } from './ledger.ts';
import type { Ledger } from './ledger.ts';
import { legsOf, remainsOf } from './session-remains.ts';
import type { Home } from './session-remains.ts';

/** Where folders go of which nothing can be told, below that of the recordings. */
const asideFolder = 'set-aside';
const damagedFile = 'journal.damaged';
/** How long recordings wait to be sealed for what the stream knows of them. */
const streamLimitMs = 5_000;

/** A session whose journal has lost something. */
export type DamagedSession = {
  readonly sessionId: string;
  readonly contents: JournalContents;
  /** What the stream holds of it; undefined as long as the stream can't be asked. */
  readonly streamed: readonly RawEvent[] | undefined;
};

const inOrder = <E extends RawEvent>(events: readonly E[]): readonly E[] =>
  events.toSorted((a, b) => a.version - b.version);

/** Stretches that can't be read: what a single bit has done is turned back. */
const unreadable = ({ damage, tail }: JournalContents): readonly JournalDamage[] => [
  ...damage.filter(({ bytes }) => bytes > 1),
  ...(tail ? [tail] : []),
];

/** Whether a journal can't be gone on with as it stands: its versions have a hole, or what can't be read may have been its last. */
export const isDamaged = (contents: JournalContents): boolean => {
  const { events, lastVersion } = contents;
  const versions = new Set(events.map(({ version }) => version));

  return unreadable(contents).length > 0 || versions.size < lastVersion || versions.size === 0;
};

/** Asks the stream what it holds of a session, for a while. */
export const askStream = async (
  node: Pick<CaptureNode, 'bus' | 'closing'>,
  { sessionId, contents }: Omit<DamagedSession, 'streamed'>,
): Promise<DamagedSession> => {
  const asked = streamedEvents(node, sessionId).catch(() => undefined);
  const inVain = sleep(streamLimitMs, undefined, { signal: node.closing, ref: false }).catch(() => undefined);

  return { sessionId, contents, streamed: await Promise.race([asked, inVain]) };
};

/** Of each version the last message counts. Waits for the bus; throws once the node closes. */
const streamedEvents = async (
  { bus, closing }: Pick<CaptureNode, 'bus' | 'closing'>,
  sessionId: string,
): Promise<readonly RawEvent[]> => {
  const subjects = (['session.started', 'recording.sealed'] as const).map((type) =>
    eventSubject(type, sessionId),
  );
  const found = await Promise.all(subjects.map((subject) => bus.events.on(subject, closing)));
  const byVersion = new Map(found.flat().map(({ raw }) => [raw.version, raw]));

  return [...byVersion.values()];
};

/** The session as far as it is known before its media was looked for. */
export const recordOf = (node: Home, damaged: DamagedSession): SessionRecord => {
  const { events, made } = historyOf(node, damaged, undefined);
  const record = inOrder([...events, ...made]).reduce<SessionRecord | undefined>(evolveSession, undefined);
  if (!record) throw new Error('a history begins with its start');

  return record;
};

/**
 * Puts the journal of a session right: with what the stream knows of it, and where that knows nothing, with what notes and media
 * tell. The damaged one stays beside it. Where there is nothing to be told its folder is set aside, unless it never held anything.
 */
export const putRight = async (
  node: CaptureNode,
  damaged: DamagedSession,
  manifest: Manifest | undefined,
): Promise<'right' | 'set-aside' | 'never-begun'> => {
  const { sessionId, contents } = damaged;
  const streamed = damaged.streamed ?? (await streamedEvents(node, sessionId));
  const hasMedia = manifest?.tracks.some(({ packets }) => packets > 0) ?? false;
  const isKnown = contents.events.length + streamed.length + legsOf(node, contents).length > 0;
  const { damage, tail } = contents;
  if (!isKnown && !hasMedia) {
    if (damage.length === 0 && !tail) return 'never-begun';
    await setAside(node, sessionId);
    node.log.error({ sessionId, damage, tail }, 'nothing is left of a session: its folder was set aside');

    return 'set-aside';
  }
  const { made } = historyOf(node, { ...damaged, streamed }, manifest);
  const lost = [...lackingIn(contents, streamed), ...made];
  await keepDamaged(node, sessionId);
  await mendJournal(folderOf(node, sessionId), lost);
  sayPutRight(node, { ...damaged, streamed }, lost);

  return 'right';
};

/**
 * Puts the journal of a session that goes on right, before anything more is journalled; its media waits for nothing. Never rejects.
 */
export const restoreJournal = async (node: CaptureNode, ledger: Ledger, sessionId: string): Promise<void> => {
  const contents = ledger.journal.opened;
  try {
    await ledger.restore(() => lostEvents(node, { sessionId, contents }));
  } catch (error) {
    node.log.error({ error, sessionId }, 'a damaged journal could not be put right');
  }
};

/**
 * Where the stream doesn't tell in time what was lost, as many events are made up as may have been lost at the end: no version is
 * given a second time.
 */
const lostEvents = async (
  node: CaptureNode,
  session: Omit<DamagedSession, 'streamed'>,
): Promise<readonly RawEvent[]> => {
  const { contents } = session;
  const damaged = await askStream(node, session);
  const mostLost = damaged.streamed ? 0 : mostEventsIn(unreadable(contents));
  const { made } = historyOf(node, damaged, undefined, mostLost);
  const lost = [...lackingIn(contents, damaged.streamed ?? []), ...made];
  sayPutRight(node, damaged, lost);

  return lost;
};

/** No line of an event is shorter: ids and names alone take as much. */
const shortestEventBytes = 256;

const mostEventsIn = (stretches: readonly JournalDamage[]): number =>
  stretches.reduce((sum, { bytes }) => sum + Math.ceil(bytes / shortestEventBytes), 0);

const lackingIn = (
  { events }: Pick<JournalContents, 'events'>,
  streamed: readonly RawEvent[],
): readonly RawEvent[] => {
  const known = new Set(events.map(({ version }) => version));

  return streamed.filter(({ version }) => !known.has(version));
};

/** A journal as it was found, for whoever wants to see what has befallen it. */
export const keepDamaged = async (node: Pick<CaptureNode, 'config'>, sessionId: string): Promise<void> => {
  const folder = folderOf(node, sessionId);
  await copyFile(join(folder, journalFile), join(folder, damagedFile)).catch(() => undefined);
};

const sayPutRight = (
  { meters, log }: Pick<CaptureNode, 'meters' | 'log'>,
  { sessionId, contents: { damage, tail }, streamed = [] }: DamagedSession,
  lost: readonly RawEvent[],
): void => {
  const ids = new Set(streamed.map(({ id }) => id));
  const versionsOf = (events: readonly RawEvent[]) => events.map(({ version }) => version);
  const [restored, rebuilt] = [lost.filter(({ id }) => ids.has(id)), lost.filter(({ id }) => !ids.has(id))];
  meters.count('journal.put-right');
  // What only a torn end has cost was never a fact.
  log[lost.length > 0 ? 'error' : 'warn'](
    { sessionId, damage, tail, restored: versionsOf(restored), rebuilt: versionsOf(rebuilt) },
    'a damaged journal was put right',
  );
};

/** The events that are known of a session, in order, and those made up for what is missing between them, and for `mostLost` behind. */
const historyOf = (
  node: Home,
  { sessionId, contents, streamed = [] }: DamagedSession,
  manifest: Manifest | undefined,
  mostLost = 0,
): { readonly events: readonly SessionEvent[]; readonly made: readonly SessionEvent[] } => {
  const byVersion = new Map([...streamed, ...contents.events].map((event) => [event.version, event]));
  const known = inOrder([...byVersion.values()]);
  const events = sessionEvents(known);
  const last = Math.max(1, contents.lastVersion, known.at(-1)?.version ?? 0) + mostLost;

  return { events, made: rebuild(remainsOf(node, sessionId, contents, manifest), events, last) };
};

const asideOf = ({ config }: Pick<CaptureNode, 'config'>): string => join(config.recordingsDir, asideFolder);

/** Out of the way of all that works on recordings, for somebody to look at; never deleted. */
const setAside = async (node: CaptureNode, sessionId: string): Promise<void> => {
  const target = join(asideOf(node), sessionId);
  await mkdir(dirname(target), { recursive: true });
  await rename(folderOf(node, sessionId), target);
  await node.outboxIndex.remove(sessionId);
  node.meters.count('journal.set-aside');
  await countAside(node);
};

/** Tells operators how many folders lie aside. */
export const countAside = async (node: Pick<CaptureNode, 'config' | 'status'>): Promise<void> => {
  const names = await readdir(asideOf(node)).catch((): string[] => []);
  node.status.setAside(names.length, asideOf(node));
};
