import { ClockFit } from './clock-fit.ts';
import type { ClockedPacket } from './sender-clocks.ts';

/** Where a segment's timestamps lie on the common clock: `originS + ticks · secondsPerTick`, since the session's start. */
export type SegmentClock = {
  readonly originS: number;
  readonly secondsPerTick: number;
  readonly clockRate: number;
  /** Part by which the sender's clock runs slower than ours; 0 where that isn't certain, and nothing is corrected. */
  readonly drift: number;
};

/** Ticks between packets say how long one is; a longer step is a pause. */
const longestPacketS = 0.2;

type Segment = {
  readonly clockRate: number;
  readonly fit: ClockFit;
  firstTicks: number;
  lastTicks: number;
  packetTicks: number;
  /** What had been heard before it began. */
  readonly behind: { readonly segment: number; readonly ticks: number } | undefined;
};

const clockOf = ({ clockRate, fit }: Segment): SegmentClock => {
  const { delayS, fromS, drift } = fit.estimate();

  return { originS: delayS - drift * fromS, secondsPerTick: (1 + drift) / clockRate, clockRate, drift };
};

export const secondsAt = ({ originS, secondsPerTick }: SegmentClock, ticks: number): number =>
  originS + ticks * secondsPerTick;

/** Lays the segments of one track on the common clock, once all of its packets were seen. */
export class Layout {
  readonly #segments: Segment[] = [];
  readonly #lastOf = new Map<number, { segment: number; ticks: number; timestamp: number }>();
  #latest: number | undefined;

  add({ segment: number, ticks, packet }: ClockedPacket<unknown>): void {
    const segment = this.#segments[number] ?? this.#begin(number, ticks, packet.clockRate);
    const step = ticks - segment.lastTicks;
    if (step > 0 && step <= longestPacketS * segment.clockRate) segment.packetTicks = step;
    segment.firstTicks = Math.min(segment.firstTicks, ticks);
    segment.lastTicks = Math.max(segment.lastTicks, ticks);
    if (packet.timed) segment.fit.add(ticks / segment.clockRate, packet.arrivalS);
    this.#latest = number;
    const { ssrc, timestamp } = packet;
    this.#lastOf.set(ssrc, { segment: number, ticks, timestamp });
  }

  /** Where a timestamp of a source lies that was said just now; undefined for a source without packets. */
  placeOf(ssrc: number, timestamp: number): { readonly segment: number; readonly ticks: number } | undefined {
    const last = this.#lastOf.get(ssrc);

    return last && { segment: last.segment, ticks: last.ticks + ((timestamp - last.timestamp) | 0) };
  }

  /** By number of the segment, each `shifts` seconds earlier. One that would begin before what came before it ended begins at its end. */
  clocks(shifts: ReadonlyMap<number, number> = new Map()): readonly SegmentClock[] {
    const clocks: SegmentClock[] = [];
    for (const [number, segment] of this.#segments.entries()) {
      const fitted = clockOf(segment);
      const clock = { ...fitted, originS: fitted.originS - (shifts.get(number) ?? 0) };
      const before = segment.behind && clocks[segment.behind.segment];
      const earliest = before && segment.behind ? secondsAt(before, segment.behind.ticks) : -Infinity;
      const late = Math.max(0, earliest - secondsAt(clock, segment.firstTicks));
      clocks.push({ ...clock, originS: clock.originS + late });
    }

    return clocks;
  }

  #begin(number: number, ticks: number, clockRate: number): Segment {
    const before = this.#latest === undefined ? undefined : this.#segments[this.#latest];
    const behind =
      before && this.#latest !== undefined
        ? { segment: this.#latest, ticks: before.lastTicks + before.packetTicks }
        : undefined;
    const segment = {
      clockRate,
      fit: new ClockFit(),
      firstTicks: ticks,
      lastTicks: ticks,
      packetTicks: 0,
      behind,
    };
    this.#segments[number] = segment;

    return segment;
  }
}
