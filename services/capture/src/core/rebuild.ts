import { evolveSession } from '@reelstream/domain';
import type { SessionEvent, SessionRecord } from '@reelstream/domain';
import { mintEvent } from '@reelstream/events';
import type { DataOf } from '@reelstream/events';
import { decide } from './decide.ts';
import type { Description } from './decide.ts';

/** What is known of a session beside its events, for where these don't say it. */
export type Remains = {
  readonly start: Omit<DataOf<'session.started'>, keyof Description> & Description;
  readonly origin: string;
  /** CloudEvents source of its home, and the life that puts its journal together. */
  readonly source: string;
  readonly epoch: number;
  /** The id of what stands for a lost event: the same at every attempt. */
  readonly idOf: (version: number) => string;
};

/**
 * Events for the versions up to `last` that `events` (in order) lacks. Every event of a session tells all of it, so the next says
 * what a lost one came to; a lost end is one that was cut off. Stops where an event can't be thought of: the figures of a
 * recording.
 */
export const rebuild = (
  remains: Remains,
  events: readonly SessionEvent[],
  last: number,
): readonly SessionEvent[] => {
  const byVersion = new Map(events.map((event) => [event.version, event]));
  const made: SessionEvent[] = [];
  let record: SessionRecord | undefined;
  for (let version = 1; version <= last; version++) {
    const known = byVersion.get(version);
    const event = known ?? madeUp(remains, record, version, behind(events, version));
    if (!event) return made;
    if (!known) made.push(event);
    record = evolveSession(record, event);
  }

  return made;
};

const behind = (events: readonly SessionEvent[], version: number): SessionEvent | undefined =>
  events.find((event) => event.version > version);

const madeUp = (
  remains: Remains,
  record: SessionRecord | undefined,
  version: number,
  next: SessionEvent | undefined,
): SessionEvent | undefined => {
  const { start, origin, source } = remains;
  const stamp = {
    id: remains.idOf(version),
    time: record?.startedAt ?? start.startedAt,
    source,
    // Never above what comes behind it: that would fence it.
    epoch: next?.epoch ?? Math.max(record?.epoch ?? 0, remains.epoch),
  };
  const session = { subject: start.sessionId, origin: record?.origin ?? next?.origin ?? origin, version };
  if (!record) {
    const told = descriptionIn(next) ?? start;
    const flags = [...new Set([...(told.flags ?? []), 'damaged-journal'])];
    const data = { ...start, ...told, startedAt: start.startedAt, flags };

    return mintEvent({ ...stamp, ...session, type: 'session.started', data });
  }
  if (next?.type === 'recording.removed') return undefined;
  if (next?.type === 'recording.sealed' && record.endedAt === undefined)
    return decide(record, { type: 'end', stamp, endReason: 'interrupted', durationMs: 0, totals: [] })[0];
  const told = descriptionIn(next) ?? descriptionIn(record);
  const data = told && { sessionId: start.sessionId, reason: 'dialog' as const, ...told };

  return data && mintEvent({ ...stamp, ...session, type: 'session.updated', data });
};

/** All that an event says of its session as it is. */
const descriptionIn = (from: SessionEvent | SessionRecord | undefined): Description | undefined => {
  if (!from) return undefined;
  const data = 'data' in from ? from.data : from;
  if (!('dialogs' in data)) return undefined;
  const { controller, dialogs, correlation, tracks, tags, flags, interruptions } = data;

  return {
    controller,
    dialogs: [...dialogs],
    correlation,
    tracks: [...tracks],
    ...(tags && { tags: [...tags] }),
    ...(flags && { flags: [...flags] }),
    ...(interruptions && { interruptions: [...interruptions] }),
  };
};
