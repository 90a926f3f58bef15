import { sessionWords } from './segment-format.ts';
import type { BlockOrigin, Pointer } from './segment-format.ts';

/** One stream's place in the log, all in one object, its id too: it is fetched ten times a second among thousands of others. */
export class LogStream implements BlockOrigin {
  readonly sessionId: string;
  readonly trackNumber: number;
  readonly session0: number;
  readonly session1: number;
  readonly session2: number;
  readonly session3: number;
  /** Of its last block, and where that is; 0: there is none. */
  ordinal = 0;
  segment = 0;
  offset = 0;

  constructor(sessionId: string, trackNumber: number) {
    this.sessionId = sessionId;
    this.trackNumber = trackNumber;
    [this.session0, this.session1, this.session2, this.session3] = sessionWords(sessionId);
  }

  get head(): Pointer {
    return { segment: this.segment, offset: this.offset };
  }
}

/** Room in `bytes` from `at` on for runs with a gap before each, and the seed of their checksums. */
export type LogPlace = {
  readonly bytes: Buffer;
  readonly at: number;
  readonly gap: number;
  readonly seed: number;
};
