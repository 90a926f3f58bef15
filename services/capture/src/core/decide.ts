import { assertNever, mayTag } from '@reelstream/domain';
import type { SessionEvent, SessionRecord } from '@reelstream/domain';
import { mintEvent } from '@reelstream/events';
import type {
  CodecSpan,
  DataOf,
  EndReason,
  Interruption,
  MediaFigures,
  RemovalCause,
  SessionFlag,
  SessionStarted,
  SessionUpdated,
  SystemTag,
  SystemTagName,
  Track,
} from '@reelstream/events';

/** Who writes, and when: what the shell reads from clock, chance and configuration. */
export type Stamp = {
  readonly id: string;
  readonly time: string;
  /** CloudEvents source, `/<cluster>/<node>`. */
  readonly source: string;
  readonly epoch: number;
};

/** What the media of a track came to. */
export type TrackTotals = {
  readonly trackNumber: number;
  readonly packets: number;
  readonly lost: number;
  readonly durationMs: number;
  readonly firstPacketAt?: string;
  readonly figures?: MediaFigures;
  /** The codecs that were really sent, where that is known. */
  readonly codecs?: readonly CodecSpan[];
};

/** What may change about a session while it runs. */
export type Description = Pick<
  SessionUpdated,
  'controller' | 'dialogs' | 'correlation' | 'tracks' | 'tags' | 'flags' | 'interruptions'
>;

export type SealedMedia = Omit<DataOf<'recording.sealed'>, 'sessionId' | 'home' | 'host'>;

export type Command =
  | {
      readonly type: 'start';
      readonly stamp: Stamp;
      readonly origin: string;
      readonly session: Omit<SessionStarted, 'startedAt'>;
    }
  | {
      readonly type: 'media';
      readonly stamp: Stamp;
      readonly trackNumber: number;
      readonly firstPacketAt: string;
    }
  | {
      readonly type: 'describe';
      readonly stamp: Stamp;
      readonly reason: 'media' | 'metadata' | 'dialog';
      readonly description: Partial<Description>;
    }
  | {
      readonly type: 'tag';
      readonly stamp: Stamp;
      readonly name: SystemTagName;
      /** Since the start of the session, on a monotonic clock. */
      readonly offsetMs: number;
      /** Absent: the whole session. */
      readonly trackNumber?: number;
    }
  /** This home was away, and records on. */
  | { readonly type: 'resume'; readonly stamp: Stamp; readonly interruption: Interruption }
  | {
      readonly type: 'end';
      readonly stamp: Stamp;
      readonly endReason: EndReason;
      /** On a monotonic clock. */
      readonly durationMs: number;
      readonly totals: readonly TrackTotals[];
      /** What its media turned out to be odd by. */
      readonly flags?: readonly SessionFlag[];
    }
  | { readonly type: 'seal'; readonly stamp: Stamp; readonly recording: SealedMedia }
  /** Its media is gone from the disk. */
  | { readonly type: 'remove'; readonly stamp: Stamp; readonly cause: RemovalCause };

type CommandOf<T extends Command['type']> = Extract<Command, { type: T }>;

/**
 * The life of a session: what follows from a command. Nothing follows from one that comes too late or twice; a start of
 * a session that exists, or anything else for one that doesn't, is a bug and throws.
 */
export const decide = (record: SessionRecord | undefined, command: Command): readonly SessionEvent[] => {
  if (command.type === 'start') return start(record, command);
  if (!record) throw new Error(`${command.type} for a session that was never started`);
  switch (command.type) {
    case 'media':
      return noteMedia(record, command);
    case 'describe':
      return describe(record, command);
    case 'tag':
      return tag(record, command);
    case 'resume':
      return resume(record, command);
    case 'end':
      return end(record, command);
    case 'seal':
      return seal(record, command);
    case 'remove':
      return remove(record, command);
    default:
      return assertNever(command);
  }
};

const start = (record: SessionRecord | undefined, command: CommandOf<'start'>): readonly SessionEvent[] => {
  if (record) throw new Error(`session ${record.sessionId} was started already`);
  const { stamp, origin, session } = command;
  const data = { ...session, startedAt: stamp.time };

  return [
    mintEvent({ ...stamp, type: 'session.started', subject: session.sessionId, origin, version: 1, data }),
  ];
};

const noteMedia = (record: SessionRecord, command: CommandOf<'media'>): readonly SessionEvent[] => {
  const track = record.tracks.find(({ trackNumber }) => trackNumber === command.trackNumber);
  if (record.state !== 'ACTIVE' || !track || track.firstPacketAt !== undefined) return [];
  const tracks = record.tracks.map((other) =>
    other === track ? { ...track, firstPacketAt: command.firstPacketAt } : other,
  );

  return [updated(record, command.stamp, 'media', { ...descriptionOf(record), tracks })];
};

const describe = (record: SessionRecord, command: CommandOf<'describe'>): readonly SessionEvent[] => {
  if (record.state !== 'ACTIVE') return [];
  const before = descriptionOf(record);
  const after = { ...before, ...command.description };

  return JSON.stringify(before) === JSON.stringify(after)
    ? []
    : [updated(record, command.stamp, command.reason, after)];
};

/** A tag that says what is so already is not set again. */
const tag = (record: SessionRecord, command: CommandOf<'tag'>): readonly SessionEvent[] => {
  const { stamp, name, offsetMs, trackNumber } = command;
  const before = record.tags ?? [];
  if (record.state !== 'ACTIVE' || !mayTag(before, name, trackNumber)) return [];
  const on = trackNumber === undefined ? {} : { trackNumber };
  const tags = [...before, { name, type: 'system' as const, at: stamp.time, offsetMs, ...on }];

  return [updated(record, stamp, 'tag', { ...descriptionOf(record), tags })];
};

const resume = (
  record: SessionRecord,
  { stamp, interruption }: CommandOf<'resume'>,
): readonly SessionEvent[] => {
  if (record.state !== 'ACTIVE') return [];
  const { sessionId, interruptions = [] } = record;
  const data = { sessionId, ...descriptionOf(record), interruptions: [...interruptions, interruption] };

  return [next(record, stamp, 'session.resumed', data)];
};

const end = (record: SessionRecord, command: CommandOf<'end'>): readonly SessionEvent[] => {
  if (record.state !== 'ACTIVE') return [];
  const { stamp, totals, durationMs } = command;
  const endReason = endReasonOf(record, command);
  const data = {
    sessionId: record.sessionId,
    state: inGoodOrder(endReason) ? ('CLOSED_NORMAL' as const) : ('CLOSED_ERROR' as const),
    endReason,
    endedAt: stamp.time,
    durationMs,
    ...descriptionOf(record),
    ...flagsWith(record, command.flags ?? []),
    tracks: record.tracks.map((track) => closeTrack(track, stamp.time, totals)),
  };

  return [next(record, stamp, 'session.ended', data)];
};

const flagsWith = ({ flags = [] }: SessionRecord, more: readonly SessionFlag[]): Pick<Description, 'flags'> =>
  more.length === 0 ? {} : { flags: [...new Set([...flags, ...more])] };

const seal = (record: SessionRecord, command: CommandOf<'seal'>): readonly SessionEvent[] => {
  if (record.endedAt === undefined || record.recording) return [];
  const { sessionId, home, host } = record;

  return [next(record, command.stamp, 'recording.sealed', { sessionId, home, host, ...command.recording })];
};

const remove = (record: SessionRecord, { stamp, cause }: CommandOf<'remove'>): readonly SessionEvent[] => {
  if (!record.recording || record.removedAt !== undefined) return [];
  const { sessionId, home, host } = record;

  return [next(record, stamp, 'recording.removed', { sessionId, removedAt: stamp.time, home, host, cause })];
};

/** On hold from the beginning to the end: there was nothing to be heard. */
const isHeldThroughout = (tags: readonly SystemTag[], { trackNumber }: Track): boolean => {
  const own = tags.filter((tag) => tag.trackNumber === trackNumber);

  return own[0]?.name === 'TrackInactive' && own[0].offsetMs === 0 && own.length === 1;
};

/** A call that ends as it should, but of which nothing was heard, is an error; not so one that was paused, or held all along. */
const endReasonOf = (
  { tags = [], tracks }: SessionRecord,
  { endReason, totals }: CommandOf<'end'>,
): EndReason =>
  inGoodOrder(endReason) &&
  totals.length > 0 &&
  totals.every(({ packets }) => packets === 0) &&
  tags.every(({ name }) => name !== 'Pause') &&
  !tracks.every((track) => isHeldThroughout(tags, track))
    ? 'no-media'
    : endReason;

const goodOrder: readonly EndReason[] = ['bye', 'stopped', 'communication-session-ended', 'max-duration'];

const inGoodOrder = (endReason: EndReason): boolean => goodOrder.includes(endReason);

const closeTrack = (track: Track, endedAt: string, totals: readonly TrackTotals[]): Track => {
  const found = totals.find(({ trackNumber }) => trackNumber === track.trackNumber);
  const negotiated = track.codecs.map((span) => ({ ...span, to: span.to ?? endedAt }));
  if (!found) return { ...track, codecs: negotiated };
  const { packets, lost, durationMs, figures } = found;
  const sent = [...(found.codecs ?? [])];
  const codecs = sent.length > 0 ? sent : negotiated;
  const codec = codecs.at(-1)?.codec ?? track.codec;
  const firstPacketAt = track.firstPacketAt ?? found.firstPacketAt;
  const heard = firstPacketAt === undefined ? {} : { firstPacketAt };

  const quality = figures === undefined ? {} : { figures };

  return { ...track, codec, codecs, packets, lost, ...quality, durationMs, ...heard };
};

const descriptionOf = ({
  controller,
  dialogs,
  correlation,
  tracks,
  tags,
  flags,
  interruptions,
}: SessionRecord): Description => ({
  controller,
  dialogs: [...dialogs],
  correlation,
  tracks: [...tracks],
  ...(tags === undefined ? {} : { tags: [...tags] }),
  ...(flags === undefined ? {} : { flags: [...flags] }),
  ...(interruptions === undefined ? {} : { interruptions: [...interruptions] }),
});

const updated = (
  record: SessionRecord,
  stamp: Stamp,
  reason: SessionUpdated['reason'],
  description: Description,
): SessionEvent =>
  next(record, stamp, 'session.updated', { sessionId: record.sessionId, reason, ...description });

/** Versions count the session's journal without gaps, over both of its subjects. */
const next = <T extends SessionEvent['type']>(
  record: SessionRecord,
  stamp: Stamp,
  type: T,
  data: DataOf<T>,
) => {
  const { sessionId: subject, origin, version } = record;

  return mintEvent<T>({ ...stamp, type, subject, origin, version: version + 1, data });
};
