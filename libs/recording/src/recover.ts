import type { Manifest } from './manifest.ts';
import { sealBlocks } from './seal.ts';
import type { SealRequest } from './seal.ts';
import { SegmentStore } from './segment-store.ts';
import type { SegmentSummary } from './segment-store.ts';

export type RecoveredRecording =
  | { readonly sessionId: string; readonly ok: true; readonly manifest: Manifest }
  | { readonly sessionId: string; readonly ok: false; readonly error: Error };

export type Recovery = {
  readonly recordings: readonly RecoveredRecording[];
  /** What was read, with the sessions found in each. */
  readonly segments: readonly SegmentSummary[];
  /** In words. */
  readonly damage: readonly string[];
};

/**
 * Seals, marked `recovered`, what segments of earlier lives hold of sessions; without packets where they hold nothing.
 * `segments` is the folder; `paths` the files to read. Reads each once, from end to end. Blocking; never throws.
 */
export const recoverRecordings = (
  segments: string,
  paths: readonly string[],
  requests: readonly SealRequest[],
): Recovery => {
  using store = new SegmentStore(segments);
  const wanted = new Set(paths);
  const catalogue = store.scan(store.names.filter(({ path }) => wanted.has(path)));
  const recordings = requests.map((request): RecoveredRecording => {
    const { sessionId } = request;
    const tracks = [...(catalogue.sessions.get(sessionId) ?? [])];
    const streams = tracks.map(([trackNumber, places]) => ({ trackNumber, places }));
    try {
      const manifest = sealBlocks(store, request, { streams, damage: catalogue.damage, recovered: true });

      return { sessionId, ok: true, manifest };
    } catch (error) {
      return { sessionId, ok: false, error: error instanceof Error ? error : new Error(String(error)) };
    }
  });

  return { recordings, segments: catalogue.segments, damage: catalogue.damage };
};
