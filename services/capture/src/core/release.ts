import type { PositionAnnouncement } from '@reelstream/events';

/** What each database server last told of how far it has committed; `tick` counts what we heard, in order. */
export type Heard = PositionAnnouncement & { readonly tick: number };
export type Positions = ReadonlyMap<string, Heard>;

/** Where the stream stored an event, which generation each database server was in, and the last tick before. */
export type Ack = {
  readonly sequence: number;
  readonly generations: ReadonlyMap<string, number>;
  readonly tick: number;
};

/** How far a session's journal is out: `acks[n]` is that of version n + 1; undefined still has to go, or to go again. */
export type Progress = { readonly journalled: number; readonly acks: readonly (Ack | undefined)[] };

export const emptyProgress: Progress = { journalled: 0, acks: [] };

export const journalledThrough = (progress: Progress, version: number): Progress => ({
  ...progress,
  journalled: Math.max(progress.journalled, version),
});

/** The version to append next: versions go out in order, so the first without an ack. */
export const nextVersion = ({ journalled, acks }: Progress): number | undefined => {
  for (let version = 1; version <= journalled; version += 1) if (!acks[version - 1]) return version;

  return undefined;
};

/** The stream has `version` at `sequence`; `tick` is that of the newest announcement heard by then. */
export const acknowledged = (
  progress: Progress,
  version: number,
  stored: { readonly sequence: number; readonly positions: Positions; readonly tick: number },
): Progress => {
  const acks = [...progress.acks];
  const generations = new Map([...stored.positions].map(([server, { generation }]) => [server, generation]));
  acks[version - 1] = { sequence: stored.sequence, generations, tick: stored.tick };

  return { ...progress, acks };
};

/** Forgets the acks from `version` on, so that everything from there is appended again. */
export const republishFrom = (progress: Progress, version: number): Progress => ({
  ...progress,
  acks: progress.acks.slice(0, version - 1),
});

/**
 * A generation of which we didn't know when the event was stored may have begun after that: what lies past its base is
 * then gone from the stream. To append once more what is there after all costs a lookup; not to would cost the event.
 */
const isLost = (ack: Ack, position: PositionAnnouncement): boolean =>
  position.generation > (ack.generations.get(position.server) ?? -1) && ack.sequence > position.base;

/** Drops the acks of events that a newer generation of the stream has lost. */
export const withoutLost = (progress: Progress, position: PositionAnnouncement): Progress => {
  const first = progress.acks.findIndex((ack) => ack !== undefined && isLost(ack, position));

  return first === -1 ? progress : republishFrom(progress, first + 1);
};

/**
 * Only what a server says after the stream stored the event counts: before, it may speak of a stream that has been put
 * back since, and whose sequences mean other events.
 */
const isCommitted = (ack: Ack, position: Heard): boolean =>
  position.tick > ack.tick && !isLost(ack, position) && ack.sequence <= position.sequence;

/** Whether every database server has committed past everything in the journal: the outbox may forget the session. */
export const isReleased = (progress: Progress, servers: readonly string[], positions: Positions): boolean =>
  nextVersion(progress) === undefined &&
  servers.every((server) => {
    const position = positions.get(server);

    return position && progress.acks.every((ack) => ack && isCommitted(ack, position));
  });
