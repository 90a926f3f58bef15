import type { Muxer } from './muxer.ts';

/** The pictures of one track on their way into a file. */
export type VideoFeed = {
  addTo(muxer: Muxer): void;
  /** Writes the pictures up to a time of the file, in seconds. */
  writeUntil(muxer: Muxer, seconds: number): Promise<void>;
};
