import type { StreamHead } from '@reelstream/recording';
import type { Released } from './messages.ts';
import type { TrackFigures } from './types.ts';

/** A session from its first socket until it is sealed or discarded. */
export type Recording = {
  /** Sockets that are open, by track. */
  readonly open: Map<number, { readonly worker: number; readonly rtpPort: number }>;
  readonly heads: StreamHead[];
  /** Final figures of tracks that are another session's by now. */
  readonly handedOver: TrackFigures[];
  /** Its thread died: where its media ends has to be searched for. */
  headsLost: boolean;
  /** Threads that hold media of it which the disk has refused so far. */
  readonly unwritten: Set<number>;
  /** It began in an earlier life of the node. */
  readonly goesOn: boolean;
  /** Nothing of it is kept just now. */
  paused: boolean;
  /** Releases take their turns: a seal must not overtake one. */
  turn: Promise<unknown>;
};

export const newRecording = (goesOn = false): Recording => ({
  open: new Map(),
  heads: [],
  handedOver: [],
  headsLost: false,
  unwritten: new Set(),
  goesOn,
  paused: false,
  turn: Promise.resolve(),
});

/** What is done about the tracks of a session is done one after the other. */
export const inTurn = <T>(recording: Recording, action: () => Promise<T>): Promise<T> => {
  const turn = recording.turn.then(action);
  recording.turn = turn.catch(() => undefined);

  return turn;
};

/** What a thread has released is in the segment log, or is the last that can be known; undefined where the thread died. */
export const keep = (recording: Recording, worker: number, released: Released | undefined): void => {
  if (!released) {
    recording.headsLost = true;

    return;
  }
  recording.heads.push(...released.heads);
  if (!released.written) recording.unwritten.add(worker);
};

/** Those that have a socket at this thread. */
export const sessionsAt = (recordings: ReadonlyMap<string, Recording>, worker: number): readonly string[] =>
  [...recordings].flatMap(([sessionId, { open }]) =>
    [...open.values()].some((place) => place.worker === worker) ? [sessionId] : [],
  );

/** A thread is gone with its sockets, and with what it had not written; returns the tracks that it received. */
export const lose = (recording: Recording, worker: number): readonly number[] => {
  const tracks = [...recording.open].flatMap(([number, open]) => (open.worker === worker ? [number] : []));
  if (recording.unwritten.delete(worker) || tracks.length > 0) recording.headsLost = true;

  return tracks;
};
