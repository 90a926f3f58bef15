import type { StreamHead } from '@reelstream/recording';

/** A session from its first socket until it is sealed or discarded. */
export type Recording = {
  /** Sockets that are open, by track. */
  readonly open: Map<number, { readonly worker: number; readonly rtpPort: number }>;
  readonly heads: StreamHead[];
  /** Its thread died: where its media ends has to be searched for. */
  headsLost: boolean;
  /** Nothing of it is kept just now. */
  paused: boolean;
  /** Releases take their turns: a seal must not overtake one. */
  turn: Promise<unknown>;
};

export const newRecording = (): Recording => ({
  open: new Map(),
  heads: [],
  headsLost: false,
  paused: false,
  turn: Promise.resolve(),
});
