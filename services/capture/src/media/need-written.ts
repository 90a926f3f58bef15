import { SealError } from '@reelstream/recording';
import type { MediaThreads } from './media-threads.ts';
import type { Recording } from './recording.ts';

/** Throws SealError as long as the disk doesn't have all of a session: sealed before, it would lack its end. */
export const needWritten = async (
  threads: MediaThreads,
  sessionId: string,
  recording: Recording,
): Promise<void> => {
  for (const worker of recording.unwritten) {
    const written = await threads
      .get(worker)
      .call('flush', undefined)
      .catch(() => undefined);
    if (written === false) throw new SealError(`the media of session ${sessionId} is not all written yet`);
    if (written === undefined) recording.headsLost = true;
    recording.unwritten.delete(worker);
  }
};
