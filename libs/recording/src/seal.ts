import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { walkFrames } from '@reelstream/rtp';
import { makeFolderSync, replaceFileSync, syncFolderSync } from './durable-sync.ts';
import { SealError } from './errors.ts';
import { formatManifest, isManifest } from './manifest.ts';
import type { Manifest } from './manifest.ts';
import { manifestFile, recordingFolder } from './paths.ts';
import type { Clock } from './segment-format.ts';
import { SegmentStore } from './segment-store.ts';
import type { BlockPlace, StreamBlocks } from './segment-store.ts';
import { Timeline } from './timeline.ts';
import { TrackWriter } from './track-writer.ts';
import type { Absence, SealedTrack } from './track-writer.ts';

export type SealRequest = {
  /** Root of the recording folders. */
  readonly recordings: string;
  /** Folder of the segments. */
  readonly segments: string;
  readonly sessionId: string;
  readonly home: string;
  readonly host: string;
  /** RFC 3339: start of the session, offset zero of the recording. */
  readonly startedAt: string;
  /** RFC 3339: now. */
  readonly sealedAt: string;
  readonly tracks: readonly SealedTrack[];
  /** When the home was away, in order. */
  readonly interruptions?: readonly Absence[];
};

/** The last block of one stream of the session. A session that was resumed has several for one track. */
export type StreamHead = BlockPlace & { readonly trackNumber: number };

/** A session's blocks, and in words what of them could not be read. */
export type Found = {
  readonly streams: readonly StreamBlocks[];
  readonly damage: readonly string[];
  readonly recovered: boolean;
};

type Beginning = { readonly clock: Clock; readonly arrivalNs: number; readonly wallNs: number };

/** The manifest of a sealed folder; undefined where there is none that can be read. */
const sealedAlready = (folder: string): Manifest | undefined => {
  try {
    const value: unknown = JSON.parse(readFileSync(join(folder, manifestFile), 'utf8'));

    return isManifest(value) ? value : undefined;
  } catch {
    return undefined;
  }
};

const beginningOf = (store: SegmentStore, place: BlockPlace): Beginning | undefined => {
  const reader = store.reader(place.worker, place.segment);
  const header = reader?.blockAt(place.offset);
  const clock = header && reader?.clockOf(header);
  const block = reader?.blockAt(place.offset);
  if (!clock || !block) return undefined;
  let arrivalNs: number | undefined;
  walkFrames(block.payload, (_kind, frameNs) => {
    arrivalNs ??= frameNs;
  });

  return arrivalNs === undefined
    ? undefined
    : { clock, arrivalNs, wallNs: Number(clock.wallNs - clock.monotonicNs) + arrivalNs };
};

/** The timeline begins where the earliest packet of any track says what the clocks were. */
const timelineOf = (
  store: SegmentStore,
  startedAt: string,
  streams: readonly StreamBlocks[],
): Timeline | undefined => {
  const first = streams
    .flatMap(({ places }) => places.slice(0, 1))
    .map((place) => beginningOf(store, place))
    .filter((beginning) => beginning !== undefined)
    .toSorted((a, b) => a.wallNs - b.wallNs)[0];

  return first && new Timeline(Date.parse(startedAt), first.clock, first.arrivalNs);
};

/** Lives in order; within one, a stream stays in one worker's segments. */
const inOrder = (store: SegmentStore, places: readonly BlockPlace[]): readonly BlockPlace[] => {
  const keyed = places.map((place) => ({
    place,
    epoch: Number(store.reader(place.worker, place.segment)?.firstClock?.epoch ?? 0n),
  }));
  keyed.sort(
    (a, b) =>
      a.epoch - b.epoch ||
      a.place.worker - b.place.worker ||
      a.place.segment - b.place.segment ||
      a.place.offset - b.place.offset,
  );

  return keyed.map(({ place }) => place);
};

/** Feeds a track's blocks to its writer; returns the clocks at its first and last block. */
const writeTrack = (
  store: SegmentStore,
  writer: TrackWriter,
  timeline: Timeline,
  places: readonly BlockPlace[],
): readonly Clock[] => {
  let clock: Clock | undefined;
  const clocks: Clock[] = [];
  for (const [i, place] of places.entries()) {
    const reader = store.reader(place.worker, place.segment);
    clock = reader?.firstClock ?? clock;
    const edge = i === 0 || i === places.length - 1 ? reader?.blockAt(place.offset) : undefined;
    const edgeClock = edge && reader?.clockOf(edge);
    if (edgeClock) clocks.push(edgeClock);
    const block = reader?.blockAt(place.offset);
    const at = clock;
    if (block && at) writer.take(block.payload, at.epoch, (arrivalNs) => timeline.offsetNs(arrivalNs, at));
  }

  return clocks;
};

const describedTracks = (request: SealRequest, streams: readonly StreamBlocks[]): readonly SealedTrack[] => {
  const known = new Set(request.tracks.map(({ trackNumber }) => trackNumber));
  // A track that nobody described has media all the same: it is kept, without names for its payload types.
  const unknown = streams.filter(({ trackNumber }) => !known.has(trackNumber));

  return [
    ...request.tracks,
    ...unknown.map(({ trackNumber }) => ({ trackNumber, mediaType: 'audio', codecs: [] }) as const),
  ].toSorted((a, b) => a.trackNumber - b.trackNumber);
};

const anchorsOf = (timeline: Timeline, clocks: readonly Clock[]): Manifest['clock'] => {
  const anchors = clocks.map((clock) => timeline.anchor(clock)).toSorted((a, b) => a.offsetNs - b.offsetNs);

  return anchors.length > 1 ? [anchors[0]!, anchors.at(-1)!] : anchors;
};

const writeRecording = (
  store: SegmentStore,
  request: SealRequest,
  found: Found,
  writers: TrackWriter[],
): Manifest => {
  const folder = join(request.recordings, recordingFolder(request.sessionId));
  const timeline = timelineOf(store, request.startedAt, found.streams);
  const clocks: Clock[] = [];
  const startedAtMs = Date.parse(request.startedAt);
  const { interruptions = [] } = request;
  for (const track of describedTracks(request, found.streams)) {
    const writer = new TrackWriter(folder, track, { startedAtMs, absences: interruptions });
    writers.push(writer);
    const places = found.streams
      .filter(({ trackNumber }) => trackNumber === track.trackNumber)
      .flatMap((s) => s.places);
    if (timeline) clocks.push(...writeTrack(store, writer, timeline, inOrder(store, places)));
  }
  const complete = writers.map((writer) => writer.complete());
  for (const { rtpdump, index } of writers) for (const file of [rtpdump, index]) file.publish();
  syncFolderSync(folder);
  const files = complete.flatMap(({ track, files: own }) =>
    own.map((file) => ({ ...file, trackNumber: track.trackNumber })),
  );

  return {
    format: 'reelstream-recording',
    version: 1,
    sessionId: request.sessionId,
    home: request.home,
    host: request.host,
    startedAt: request.startedAt,
    sealedAt: request.sealedAt,
    durationMs: Math.round(Math.max(0, ...writers.map(({ lastNs }) => lastNs)) / 1e3) / 1e3,
    clock: timeline ? anchorsOf(timeline, clocks) : [],
    encryption: 'none',
    ...(found.recovered && { recovered: true }),
    ...(interruptions.length > 0 && { interruptions: [...interruptions] }),
    ...(found.damage.length > 0 && { damage: [...found.damage] }),
    sizeBytes: files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
    files,
    tracks: complete.map(({ track }) => track),
  };
};

/**
 * Makes the files of a recording from its blocks, and at last its manifest: a folder with a manifest is complete and
 * durable. A folder that is sealed already is left as it is. Blocking; throws SealError and leaves no half file.
 */
export const sealBlocks = (store: SegmentStore, request: SealRequest, found: Found): Manifest => {
  const folder = join(request.recordings, recordingFolder(request.sessionId));
  const before = sealedAlready(folder);
  if (before) return before;
  const writers: TrackWriter[] = [];
  try {
    makeFolderSync(folder);
    const manifest = writeRecording(store, request, found, writers);
    replaceFileSync(folder, manifestFile, formatManifest(manifest));

    return manifest;
  } catch (cause) {
    for (const { rtpdump, index } of writers) for (const file of [rtpdump, index]) file.abandon();
    throw new SealError(`session ${request.sessionId} can't be sealed: ${String(cause)}`, { cause });
  }
};

/** Everything that the named segments hold of a session. */
const search = (store: SegmentStore, sessionId: string, names: SegmentStore['names']): Found => {
  const { sessions, damage } = store.scan(names);
  const tracks = sessions.get(sessionId) ?? new Map<number, readonly BlockPlace[]>();
  const streams = [...tracks].map(([trackNumber, places]) => ({ trackNumber, places }));

  return { streams, damage, recovered: false };
};

/** Where the chains lead; where one is broken, the segments up to its head are searched for what there is. */
const follow = (store: SegmentStore, sessionId: string, heads: readonly StreamHead[]): Found => {
  const streams: StreamBlocks[] = [];
  for (const head of heads) {
    const places = store.chain(head);
    if (!places) {
      const reach = Math.max(
        ...heads.filter(({ worker }) => worker === head.worker).map(({ segment }) => segment),
      );

      return search(
        store,
        sessionId,
        store.names.filter(({ worker, segment }) => worker !== head.worker || segment <= reach),
      );
    }
    streams.push({ trackNumber: head.trackNumber, places });
  }

  return { streams, damage: [], recovered: false };
};

/**
 * Seals a session from the last block of each of its streams; where those aren't known, from all segments, which takes
 * long. Blocking; see sealBlocks.
 */
export const sealRecording = (request: SealRequest, heads?: readonly StreamHead[]): Manifest => {
  using store = new SegmentStore(request.segments);
  const { sessionId } = request;

  return sealBlocks(
    store,
    request,
    heads ? follow(store, sessionId, heads) : search(store, sessionId, store.names),
  );
};
