import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { rtpdumpFile } from '@reelstream/recording';
import { readSenderClocks } from '@reelstream/rtp/payload';
import { Layout } from '../core/layout.ts';
import type { SegmentClock } from '../core/layout.ts';
import { shiftsOf } from '../core/reports.ts';
import type { PlacedReport, TrackReports } from '../core/reports.ts';
import type { Progress } from './progress.ts';
import { clockedPackets } from './track-packets.ts';
import type { TrackSource, TrackUses } from './track-packets.ts';

/** An hour of reports, one every second; more say nothing new. */
const mostReports = 4_096;

type ReadTrack = { readonly layout: Layout; readonly said: TrackReports };

/** First reading of a track: the segments of its senders' clocks, and what the senders said of them over RTCP. */
const readClocks = async (source: TrackSource): Promise<ReadTrack> => {
  const layout = new Layout();
  const reports: PlacedReport[] = [];
  const names = new Map<number, string>();
  const waiting: Uint8Array[] = [];
  const place = (packet: Uint8Array): void => {
    const said = readSenderClocks(packet);
    for (const { ssrc, ntpS, rtpTimestamp } of said.reports) {
      const at = layout.placeOf(ssrc, rtpTimestamp);
      if (at && reports.length < mostReports) reports.push({ ...at, ntpS });
      const name = said.names.get(ssrc);
      if (at && name !== undefined) names.set(at.segment, name);
    }
  };
  const all = { ...source, onRtcp: (packet: Uint8Array) => void waiting.push(packet) };
  for await (const packets of clockedPackets(all, { strays: 0, damage: undefined })) {
    for (const each of packets) layout.add(each);
    for (const packet of waiting.splice(0)) place(packet);
  }

  return { layout, said: { reports, names } };
};

/** Lays tracks on the common clock: by arrival, and where one sender sent several, by its own word besides. */
const clocksOf = async (sources: readonly TrackSource[]): Promise<readonly (readonly SegmentClock[])[]> => {
  const tracks: ReadTrack[] = [];
  for (const source of sources) tracks.push(await readClocks(source));
  const shifts = shiftsOf(tracks.map(({ layout, said }) => ({ clocks: layout.clocks(), said })));

  return tracks.map(({ layout }, track) => layout.clocks(shifts[track]));
};

/** A track whose clocks are known, ready for its second reading. */
export type LaidOut<Track extends { readonly uses: TrackUses }> = {
  readonly track: Track;
  readonly source: TrackSource<Track['uses']>;
  readonly clocks: readonly SegmentClock[];
};

/** What each reading takes, beside the other. */
const weights = { first: 1, second: 5 } as const;

/** Reads tracks for the first time, and prepares the second. */
export const layOut = async <Track extends { readonly trackNumber: number; readonly uses: TrackUses }>(
  folder: string,
  tracks: readonly Track[],
  progress: Progress,
): Promise<readonly LaidOut<Track>[]> => {
  const sources = await Promise.all(
    tracks.map(async ({ trackNumber, uses }) => {
      const { size } = await stat(join(folder, rtpdumpFile(trackNumber)));
      const source = (weight: number): TrackSource<Track['uses']> => ({
        folder,
        trackNumber,
        uses,
        onRead: progress.part(weight, size),
      });

      return { first: source(weights.first), second: source(weights.second) };
    }),
  );
  const clocks = await clocksOf(sources.map(({ first }) => first));

  return tracks.map((track, i) => ({ track, source: sources[i]!.second, clocks: clocks[i]! }));
};
