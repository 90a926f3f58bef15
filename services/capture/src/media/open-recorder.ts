import { join } from 'node:path';
import { SegmentStore } from '@reelstream/recording';
import { EarlierLives } from './earlier-lives.ts';
import { MediaThreads } from './media-threads.ts';
import { ThreadedRecorder } from './recorder.ts';
import type { Recorder, RecorderOptions } from './types.ts';

const defaultSegmentBytes = 256 * 1024 * 1024;

/** Starts the receiving threads. Rejects where the capture folder can't be written. */
export const openRecorder = async (options: RecorderOptions): Promise<Recorder> => {
  const segments = join(options.captureDir, 'segments');
  using store = new SegmentStore(segments);
  const earlier = new EarlierLives(
    segments,
    store.names.map(({ path }) => path),
  );
  const { epoch, workers = 1, segmentBytes = defaultSegmentBytes } = options;
  const { packetSource = 'auto', sources = 'follow' } = options;
  const data = { segments, epoch, segmentBytes, packetSource, sources };
  const threads = await MediaThreads.open(workers, data);

  return new ThreadedRecorder(options, segments, earlier, threads);
};
