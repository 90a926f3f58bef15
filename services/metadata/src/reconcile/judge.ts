import type { JournalSummary } from '@reelstream/events';
import { compareCopies } from '../core/copies.ts';
import type { Copy, Difference } from '../core/copies.ts';
import type { StoredEvent, StoredSession } from './stored.ts';
import type { Streamed, Window } from './streamed.ts';

/** All that is known of a session, place by place. */
export type Collected = {
  readonly sessionId: string;
  readonly home: string | undefined;
  /** Whether its home can be asked. */
  readonly isHomeAlive: boolean;
  /** Undefined: there is no folder, or nobody to ask. */
  readonly journal: JournalSummary | undefined;
  readonly streamed: readonly Streamed[];
  readonly stored: StoredSession;
};

/** A session that is not in all places what it should be. */
export type Found = Collected & {
  readonly differences: readonly Difference[];
  /** Of the rows that follow from its events, where the events are right. */
  readonly row: StoredSession['row'];
};

const copyOf = (events: readonly (readonly [version: number, digest: string])[]): Copy => {
  const copy = new Map<number, readonly string[]>();
  for (const [version, digest] of events) copy.set(version, [...(copy.get(version) ?? []), digest]);

  return copy;
};

/** An event that the database has read in this generation of the stream is known by its place; others by their age. */
export const isWithin = (
  window: Window,
  generation: number,
  stored: Pick<StoredEvent, 'generation' | 'sequence' | 'envelope'>,
): boolean =>
  stored.generation === generation
    ? stored.sequence >= window.first && stored.sequence <= window.through
    : Date.parse(stored.envelope.time) >= window.sinceMs;

const isStreamedIn =
  (window: Window, generation: number, { events }: StoredSession) =>
  (version: number): boolean => {
    const stored = events.find((event) => event.version === version);

    return stored === undefined || isWithin(window, generation, stored);
  };

/** Undefined where all is as it should be. */
export const judge = (collected: Collected, window: Window, generation: number): Found | undefined => {
  const { journal, streamed, stored, isHomeAlive } = collected;
  const differences = compareCopies({
    folder: isHomeAlive ? copyOf(journal?.events ?? []) : undefined,
    stream: copyOf(streamed.map(({ version, digest }) => [version, digest])),
    database: copyOf(stored.events.map(({ version, digest }) => [version, digest])),
    underWay: journal?.underWay ?? false,
    isStreamed: isStreamedIn(window, generation, stored),
  });
  const areEventsRight = differences.every(({ faults }) => faults.every(({ place }) => place !== 'database'));
  const row = areEventsRight ? stored.row : undefined;
  const isWhole = (journal?.damagedBytes ?? 0) === 0 && (journal?.files.length ?? 0) === 0;

  const { lostTags } = stored.refolded;

  return differences.length === 0 && row === undefined && isWhole && lostTags.length === 0
    ? undefined
    : { ...collected, differences, row };
};
