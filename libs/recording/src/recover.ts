import type { Manifest } from './manifest.ts';
import { sealBlocks } from './seal.ts';
import type { SealRequest, StreamHead } from './seal.ts';
import { SegmentStore } from './segment-store.ts';
import type { FoundBlock, SegmentCatalogue, SegmentSummary } from './segment-store.ts';

export type RecoveredRecording =
  | { readonly sessionId: string; readonly ok: true; readonly manifest: Manifest }
  | { readonly sessionId: string; readonly ok: false; readonly error: Error };

export type Recovery = {
  readonly recordings: readonly RecoveredRecording[];
  /** Where each stream of the sessions that go on ends, in each life that it had. */
  readonly heads: ReadonlyMap<string, readonly StreamHead[]>;
  /** What was read, with the sessions found in each. */
  readonly segments: readonly SegmentSummary[];
  /** In words. */
  readonly damage: readonly string[];
};

/** The last blocks before a stream begins anew, and the very last: those of the lives before the last one, and of that. */
const headsOf = (trackNumber: number, blocks: readonly FoundBlock[]): readonly StreamHead[] =>
  blocks
    .filter((_, at) => blocks[at + 1]?.isFirst ?? true)
    .map(({ worker, segment, offset }) => ({ trackNumber, worker, segment, offset }));

const headsIn = ({ sessions }: SegmentCatalogue, sessionId: string): readonly StreamHead[] =>
  [...(sessions.get(sessionId) ?? [])].flatMap(([trackNumber, blocks]) => headsOf(trackNumber, blocks));

/**
 * Seals, marked `recovered`, what segments of earlier lives hold of sessions; without packets where they hold nothing. Of
 * those that are recorded on (`goingOn`) it only looks where they end. `segments` is the folder; `paths` the files to read.
 * Reads each once, from end to end. Blocking; never throws.
 */
export const recoverRecordings = (
  segments: string,
  paths: readonly string[],
  requests: readonly SealRequest[],
  goingOn: readonly string[] = [],
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

  const heads = new Map(goingOn.map((sessionId) => [sessionId, headsIn(catalogue, sessionId)]));

  return { recordings, heads, segments: catalogue.segments, damage: catalogue.damage };
};
