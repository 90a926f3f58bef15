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

/** How far a session's journal is out. */
export type Progress = {
  /** The last version in the journal, and whether it will stay the last. */
  readonly journalled: number;
  readonly complete: boolean;
  /** `acks[n]` is that of version n + 1; what has none still has to go, or to go again. */
  readonly acks: readonly (Ack | undefined)[];
  /** Up to this version the stream has been told before: a repeat, which it must store wherever its subject is by now. */
  readonly told: number;
};

export const emptyProgress: Progress = { journalled: 0, complete: false, acks: [], told: 0 };

/** The journal holds `version` now. */
export const journalledThrough = (progress: Progress, version: number, complete = false): Progress => ({
  ...progress,
  journalled: Math.max(progress.journalled, version),
  complete: progress.complete || complete,
});

/** The version to append next: versions go out in order, so the first without an ack. */
export const nextVersion = ({ journalled, acks }: Progress): number | undefined => {
  for (let version = 1; version <= journalled; version += 1) if (!acks[version - 1]) return version;

  return undefined;
};

/** The stream has stored `version`. */
export const acknowledged = (progress: Progress, version: number, ack: Ack): Progress => {
  const acks = [...progress.acks];
  acks[version - 1] = ack;

  return { ...progress, acks };
};

/** Forgets the acks from `version` on, so that everything from there is appended again. */
export const republishFrom = (progress: Progress, version: number): Progress => ({
  ...progress,
  acks: progress.acks.slice(0, version - 1),
  told: Math.max(progress.told, progress.acks.length),
});

/** Forgets the acks of these versions: they are appended again, and no others. */
export const sayAgain = (progress: Progress, versions: readonly number[]): Progress => {
  const again = new Set(versions);

  return {
    ...progress,
    acks: progress.acks.map((ack, index) => (again.has(index + 1) ? undefined : ack)),
    told: Math.max(progress.told, progress.acks.length),
  };
};

const firstGeneration = 1;

/**
 * What lies past the base of the next generation is gone from the stream. Where we missed a base, because several
 * generations began or because we had not heard of the server when the event was stored, we take it for gone: to append
 * once more what is there after all costs a repeat that everyone knows as such; not to could cost the event.
 */
const isLost = (ack: Ack, position: PositionAnnouncement): boolean => {
  const storedIn = ack.generations.get(position.server);
  if (storedIn === undefined) return position.generation > firstGeneration;
  if (position.generation === storedIn + 1) return ack.sequence > position.base;

  return position.generation > storedIn;
};

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
  progress.complete &&
  nextVersion(progress) === undefined &&
  servers.every((server) => {
    const position = positions.get(server);

    return position && progress.acks.every((ack) => ack && isCommitted(ack, position));
  });
