import { statSync } from 'node:fs';
import type { SealRequest, SegmentSummary, StreamHead } from '@reelstream/recording';
import type { Sealer } from './sealer.ts';
import type { Recovered } from './types.ts';

const writtenAt = (path: string): number => {
  try {
    return statSync(path).mtimeMs;
  } catch {
    return 0;
  }
};

/** The segments that earlier lives of the node have left, until they have been read once. */
export class EarlierLives {
  readonly #segments: string;
  #paths: readonly string[];
  readonly #read = Promise.withResolvers<ReadonlyMap<string, readonly StreamHead[]> | undefined>();

  /** `segments` is the folder, `paths` those files in it that are not of this life. */
  constructor(segments: string, paths: readonly string[]) {
    this.#segments = segments;
    this.#paths = paths;
  }

  /**
   * When something was written last, in ms since 1970: as long as there is a stream, the clock is, once a second. Undefined
   * where there is nothing.
   */
  get lastWrittenMs(): number | undefined {
    const last = Math.max(0, ...this.#paths.map(writtenAt));

    return last === 0 ? undefined : last;
  }

  /** Reads them, once: seals what is asked for, and finds where the sessions that go on end. */
  async recover(
    sealer: Pick<Sealer, 'recover'>,
    requests: readonly SealRequest[],
    goingOn: readonly string[],
  ): Promise<{ readonly recovered: readonly Recovered[]; readonly segments: readonly SegmentSummary[] }> {
    const paths = this.#paths;
    try {
      const recovery = await sealer.recover({ segments: this.#segments, paths, requests, goingOn });
      this.#paths = [];
      this.#read.resolve(recovery.heads);

      return recovery;
    } catch (error) {
      this.#read.resolve(undefined);
      throw error;
    }
  }

  /** Where the streams of a session that goes on end; waits for the reading, undefined where that has failed. */
  async headsOf(sessionId: string): Promise<readonly StreamHead[] | undefined> {
    return (await this.#read.promise)?.get(sessionId);
  }
}
