import { copyFile, mkdir, readdir, rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { evolveSession } from '@reelstream/domain';
import type { SessionEvent, SessionRecord } from '@reelstream/domain';
import { derivedId, eventSubject } from '@reelstream/events';
import type { RawEvent, Track } from '@reelstream/events';
import { journalFile, mendJournal } from '@reelstream/recording';
import type { JournalContents, Manifest } from '@reelstream/recording';
import { parseNameAddr, participantsByLabel, participantsInOrder } from '@reelstream/sip';
import { tracksAfter } from './call.ts';
import type { PositionWatch } from './adapters/positions.ts';
import { folderOf } from './capture-node.ts';
import type { CaptureNode } from './capture-node.ts';
import { originOf } from './core/origin.ts';
import { rebuild } from './core/rebuild.ts';
import type { Remains } from './core/rebuild.ts';
import { correlationOf } from './core/tracks.ts';
import { sessionEvents } from './ledger.ts';
import type { LegState } from './leg-state.ts';
import { Leg } from './leg.ts';
import { readDialogs } from './session-notes.ts';

/** Where folders go of which nothing can be told, below that of the recordings. */
const asideFolder = 'set-aside';
/** A journal as it was found. */
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

/** As far as it is told in a session's events. */
type Home = Pick<CaptureNode, 'config' | 'writer'> & { readonly positions: Pick<PositionWatch, 'alive'> };

const inOrder = <E extends RawEvent>(events: readonly E[]): readonly E[] =>
  events.toSorted((a, b) => a.version - b.version);

/** Whether a journal can't be gone on with as it stands: its versions have a hole, or it ends in what can't be read. */
export const isDamaged = ({ events, lastVersion, tail }: JournalContents): boolean => {
  const versions = new Set(events.map(({ version }) => version));

  return tail !== undefined || versions.size < lastVersion || versions.size === 0;
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
  const folder = folderOf(node, sessionId);
  const known = new Set(contents.events.map(({ version }) => version));
  const restored = streamed.filter(({ version }) => !known.has(version));
  const { made } = historyOf(node, { ...damaged, streamed }, manifest);
  await copyFile(join(folder, journalFile), join(folder, damagedFile)).catch(() => undefined);
  await mendJournal(folder, [...restored, ...made]);
  node.meters.count('journal.put-right');
  const versionsOf = (events: readonly RawEvent[]) => events.map(({ version }) => version);
  node.log.error(
    { sessionId, damage, tail, restored: versionsOf(restored), rebuilt: versionsOf(made) },
    'a damaged journal was put right',
  );

  return 'right';
};

/** The events that are known of a session, in order, and those made up for what is missing between them. */
const historyOf = (
  node: Home,
  { sessionId, contents, streamed = [] }: DamagedSession,
  manifest: Manifest | undefined,
): { readonly events: readonly SessionEvent[]; readonly made: readonly SessionEvent[] } => {
  const byVersion = new Map([...streamed, ...contents.events].map((event) => [event.version, event]));
  const known = inOrder([...byVersion.values()]);
  const events = sessionEvents(known);
  const last = Math.max(1, contents.lastVersion, known.at(-1)?.version ?? 0);

  return { events, made: rebuild(remainsOf(node, sessionId, contents, manifest), events, last) };
};

const legsOf = ({ config }: Pick<CaptureNode, 'config'>, { notes }: JournalContents): readonly LegState[] => {
  try {
    return readDialogs(notes, config.clusterKey).legs;
  } catch {
    return [];
  }
};

const remainsOf = (
  node: Home,
  sessionId: string,
  contents: JournalContents,
  manifest: Manifest | undefined,
): Remains => {
  const { config, positions, writer } = node;
  const { clusterId, nodeId, hostId } = config;
  const legs = legsOf(node, contents);
  const [first] = legs;
  // The id says when it was given (RFC 9562 §5.7), which was just before the session began.
  const startedAt = new Date(Number.parseInt(sessionId.replaceAll('-', '').slice(0, 12), 16)).toISOString();
  const address = first?.info.remoteAddress.replace(/:\d+$/, '') ?? '0.0.0.0';
  const spoken = legs.reduce<readonly Track[]>((tracks, state) => withLeg(tracks, state, startedAt), []);
  const heard = (manifest?.tracks ?? []).filter(({ trackNumber }) =>
    spoken.every((track) => track.trackNumber !== trackNumber),
  );

  return {
    start: {
      sessionId,
      startedAt,
      clusterId,
      home: nodeId,
      host: hostId,
      controller: { type: first?.type ?? 'direct', address },
      dialogs: legs.map(({ info }) => info),
      correlation: first
        ? correlationOf({ ...unsaid, bib: first.bib?.opened, metadata: first.metadata })
        : {},
      tracks: [...spoken, ...heard.map((track) => trackOf(track, startedAt))],
    },
    origin: originOf(config.databaseServers, positions.alive()),
    source: writer.source,
    epoch: writer.epoch,
    idOf: (version) => derivedId('rebuilt', sessionId, String(version)),
  };
};

const unsaid = { ciscoGuid: undefined, sessionId: undefined };

const withLeg = (tracks: readonly Track[], state: LegState, now: string): readonly Track[] => {
  const { type, info, metadata, bib } = state;
  const recorded = state.recorded.length > 0 ? new Set(state.recorded) : undefined;

  return tracksAfter(
    tracks,
    new Leg(state),
    {
      type,
      from: parseNameAddr(info.fromUri),
      byLabel: metadata ? participantsByLabel(metadata, recorded) : new Map(),
      inOrder: metadata ? participantsInOrder(metadata, recorded) : [],
      cubeParticipants: [],
      bib: bib?.opened,
    },
    now,
  );
};

/** A track of which nothing is known but its media. */
const trackOf = (
  { trackNumber, mediaType, codecs }: Manifest['tracks'][number],
  startedAt: string,
): Track => ({
  trackNumber,
  mediaType,
  codec: codecs[0]?.codec ?? 'unknown',
  codecs: [],
  startedAt,
  participants: [],
});

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
