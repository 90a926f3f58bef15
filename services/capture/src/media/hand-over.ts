import type { MediaThreads } from './media-threads.ts';
import type { HandOver } from './messages.ts';
import { keep } from './recording.ts';
import type { Recording } from './recording.ts';

/** Moves tracks from one session to another, thread by thread. */
export const handOver = async (
  threads: MediaThreads,
  from: Recording,
  to: Recording,
  request: HandOver,
): Promise<void> => {
  const tracks = request.tracks.filter((track) => from.open.has(track.from));
  const workers = new Set(tracks.map((track) => from.open.get(track.from)?.worker ?? 0));
  for (const worker of workers) {
    const released = await threads.get(worker).call('handOver', request);
    keep(from, worker, released);
    from.handedOver.push(...released.figures);
  }
  for (const track of tracks) {
    const open = from.open.get(track.from);
    from.open.delete(track.from);
    if (open) to.open.set(track.to, open);
  }
};
