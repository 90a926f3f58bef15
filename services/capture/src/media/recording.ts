import type { StreamHead } from '@reelstream/recording';
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
