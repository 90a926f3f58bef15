import { secondsAt } from './layout.ts';
import type { SegmentClock } from './layout.ts';

/** A sender report placed on the segment of its sender's clock. */
export type PlacedReport = {
  readonly segment: number;
  readonly ticks: number;
  /** What the sender's wall clock said then, in seconds. */
  readonly ntpS: number;
};

/** The reports of one track, and by segment the CNAME of who sent it. */
export type TrackReports = {
  readonly reports: readonly PlacedReport[];
  readonly names: ReadonlyMap<number, string>;
};

/** How far a wall clock may stray from the RTP clock beside it: more is a clock that was set, or nonsense. */
const mostStrayS = 0.02;
const mostDrift = 0.001;
/** Legs of one sender reach us by delays that differ by less; further apart, the name is shared, but not the clock. */
const mostApartS = 0.15;
const fewestReports = 2;

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;

/** Our time less the sender's wall clock, by each report of a segment; undefined where they contradict one another. */
const offsetOf = (clock: SegmentClock, reports: readonly PlacedReport[]): number | undefined => {
  const sane = reports.filter(({ ntpS }) => ntpS > 0);
  const [first] = sane;
  if (!first || sane.length < fewestReports) return undefined;
  const agree = sane.every(({ ticks, ntpS }) => {
    const passedS = (ticks - first.ticks) / clock.clockRate;

    return Math.abs(ntpS - first.ntpS - passedS) <= mostStrayS + Math.abs(passedS) * mostDrift;
  });

  return agree ? median(sane.map(({ ticks, ntpS }) => secondsAt(clock, ticks) - ntpS)) : undefined;
};

type Member = { readonly track: number; readonly segment: number; readonly offset: number };

/** By track and segment: the seconds by which sender reports say that it lies too late. */
export type Shifts = readonly ReadonlyMap<number, number>[];

/**
 * Aligns what one sender sent on several tracks: its wall clock stands in the sender reports of all of them, so what
 * came with more delay is moved to where it was said. Tracks without sane reports, or of another clock, stay.
 */
export const shiftsOf = (
  tracks: readonly { readonly clocks: readonly SegmentClock[]; readonly said: TrackReports }[],
): Shifts => {
  const groups = new Map<string, Member[]>();
  for (const [track, { clocks, said }] of tracks.entries()) {
    for (const [segment, reports] of Map.groupBy(said.reports, (report) => report.segment)) {
      const clock = clocks[segment];
      const name = said.names.get(segment);
      const offset = clock && offsetOf(clock, reports);
      if (!name || offset === undefined) continue;
      groups.set(name, [...(groups.get(name) ?? []), { track, segment, offset }]);
    }
  }
  const shifts = tracks.map(() => new Map<number, number>());
  for (const members of groups.values()) {
    const least = Math.min(...members.map(({ offset }) => offset));
    if (members.some(({ offset }) => offset - least > mostApartS)) continue;
    for (const { track, segment, offset } of members) shifts[track]!.set(segment, offset - least);
  }

  return shifts;
};
