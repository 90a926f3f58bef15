/** A picture, put together from its packets. */
export type VideoFrame = {
  readonly bytes: Uint8Array;
  /** RTP timestamp without wrapping. */
  readonly timestamp: number;
  /** Decoding can begin with it. */
  readonly key: boolean;
  /** False where a piece is missing. */
  readonly whole: boolean;
};
