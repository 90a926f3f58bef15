import { join } from 'node:path';
import { weightOf } from '@reelstream/domain';
import type { Interruption } from '@reelstream/events';
import { isThere, manifestFile, openJournal, readJournal } from '@reelstream/recording';
import type { Journal } from '@reelstream/recording';
import type { KnownDialog } from '@reelstream/sip';
import { folderOf } from './capture-node.ts';
import type { CaptureNode } from './capture-node.ts';
import { isDamaged, keepDamaged } from './damaged-journal.ts';
import { standAgain } from './leg-of-pair.ts';
import { Leg } from './leg.ts';
import { sessionEvents } from './ledger.ts';
import { LiveSession } from './live-session.ts';
import { rebind } from './rebind.ts';
import { readDialogs } from './session-notes.ts';

/** What came of the sessions that an earlier life left open. */
export type Resumption = {
  /** Dialogs of sessions that go on. */
  readonly legs: readonly Leg[];
  /** Those of sessions that don't, until they are hung up. */
  readonly lost: KnownDialog[];
  /** Sessions that are left to be ended and sealed, or only to be told. */
  readonly left: readonly string[];
};

type Open = {
  readonly sessionId: string;
  /** Undefined where it can't be gone on with: it has lost its beginning. */
  readonly journal: Journal | undefined;
  readonly legs: readonly Leg[];
  /** The last sign of life of its home, ms since 1970. */
  readonly lastSeenMs: number;
};

/**
 * The story of a life after one that was killed: the sessions that were being recorded get their sockets and keys back and
 * are recorded on, before anything is waited for. What has been away too long, or can't have its ports, is left. Never
 * rejects. `sessionIds` are those of the outbox, oldest first.
 */
export const resumeSessions = async (
  node: CaptureNode,
  sessionIds: readonly string[],
): Promise<Resumption> => {
  const found = await Promise.all(sessionIds.map((sessionId) => find(node, sessionId)));
  const open = withoutRepeats(found.filter((one) => one !== undefined));
  const earliestMs = Date.now() - node.config.resumeLimitMs;
  const resumed = await Promise.all(
    open.map((one) => (one.lastSeenMs < earliestMs ? leave(one) : resume(node, one))),
  );
  const goOn = open.filter((_, at) => resumed[at]);
  for (const { sessionId } of goOn) {
    const session = node.sessions.get(sessionId);
    if (session) standAgain(node, session);
  }
  const ids = new Set(goOn.map(({ sessionId }) => sessionId));
  const lost = open.filter(({ sessionId }) => !ids.has(sessionId)).flatMap(({ legs }) => legs);
  // A session may have begun, or have ended, in a dialog that was noted to wait.
  for (const leg of node.idle)
    if (open.some(({ legs }) => legs.some(({ id }) => id === leg.id))) void node.idle.drop(leg);
  if (open.length > 0) node.log.info({ resumed: goOn.length, left: open.length - goOn.length }, 'resumed');

  return {
    legs: goOn.flatMap(({ legs }) => legs),
    lost: lost.map(({ known }) => known),
    left: sessionIds.filter((sessionId) => !ids.has(sessionId)),
  };
};

/** A session that was being recorded. */
const find = async (node: CaptureNode, sessionId: string): Promise<Open | undefined> => {
  const folder = folderOf(node, sessionId);
  // There may be thousands whose events wait for the bus; those that are sealed are no concern of ours.
  if (await isThere(join(folder, manifestFile))) return undefined;
  try {
    const contents = await readJournal(folder);
    const { tail, damage, notes } = contents;
    const events = sessionEvents(contents.events);
    const isOpen = events.every(({ type }) => type !== 'session.ended');
    const { legs: states } = readDialogs(isOpen ? notes : {}, node.config.clusterKey);
    if (states.length === 0) return undefined;
    const legs = states.map((state) => new Leg(state));
    const lastSeenMs = Math.max(node.recorder.lastWrittenMs ?? 0, Date.parse(events.at(-1)?.time ?? ''));
    if (damage.length > 0) node.log.warn({ sessionId, damage }, 'a journal is damaged');
    if (events[0]?.type !== 'session.started') return { sessionId, journal: undefined, legs, lastSeenMs };
    if (isDamaged(contents)) await keepDamaged(node, sessionId);
    const journal = await openJournal(folder);
    if (tail) node.log.warn({ sessionId, tail }, 'the torn end of a journal was cut off');

    return { sessionId, journal, legs, lastSeenMs };
  } catch (error) {
    node.log.error({ error, sessionId }, 'a session of an earlier life can not be resumed');
  }

  return undefined;
};

/** A dialog that went from one session to the next just then is the later one's. */
const withoutRepeats = (open: readonly Open[]): readonly Open[] => {
  const seen = new Set<string>();

  return open
    .toReversed()
    .map((one) => ({
      ...one,
      legs: one.legs.filter(({ id }) => !seen.has(id) && seen.add(id)),
    }))
    .toReversed();
};

const leave = async ({ journal }: Open): Promise<boolean> => {
  await journal?.close();

  return false;
};

const resume = async (node: CaptureNode, open: Open): Promise<boolean> => {
  const { sessionId, journal, legs, lastSeenMs } = open;
  if (!journal) return false;
  try {
    const session = LiveSession.goOn(node, journal, { sessionId, legs });
    if (await rebind(node, session)) {
      const kinds = legs.flatMap(({ lines }) => lines.map(({ kind }) => kind));
      node.status.occupy(sessionId, weightOf(kinds));
      const interruption = interruptionOf(session, lastSeenMs);
      session
        .execute((stamp) => ({ type: 'resume', stamp, interruption }))
        .catch((error: unknown) =>
          node.log.error({ error, sessionId }, 'it goes on, but that can not be said'),
        );

      return true;
    }
  } catch (error) {
    node.log.error({ error, sessionId }, 'a session of an earlier life can not be resumed');
  }
  node.sessions.delete(sessionId);
  await node.recorder.discard(sessionId);

  return leave(open);
};

/** From the last sign of life before to now. */
const interruptionOf = ({ startedMs }: LiveSession, lastSeenMs: number): Interruption => {
  const now = Date.now();
  const from = Math.min(now, lastSeenMs);
  const durationMs = Math.round(now - from);

  return {
    from: new Date(from).toISOString(),
    to: new Date(now).toISOString(),
    offsetMs: Math.max(0, Math.round(performance.now() - startedMs - durationMs)),
    durationMs,
  };
};
