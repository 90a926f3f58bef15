/** A packet of one track as it arrived. */
export type ArrivedPacket<Payload> = {
  /** Arrival since the start of the session, in seconds. */
  readonly arrivalS: number;
  readonly ssrc: number;
  /** RTP's, 32 bits wide, in ticks of `clockRate` Hz. */
  readonly timestamp: number;
  readonly clockRate: number;
  /** False for what stands on the timestamp of another packet, as tones do: it says nothing about the clock. */
  readonly timed: boolean;
  readonly payload: Payload;
};

/** A packet with the segment of a sender's clock that it belongs to. */
export type ClockedPacket<Payload> = {
  readonly segment: number;
  /** Timestamp without wrapping. */
  readonly ticks: number;
  readonly packet: ArrivedPacket<Payload>;
};

/** How far ahead a decision about a packet may look: by arrival, and by number. */
const lookAheadS = 1;
const mostWaiting = 256;
/** A change of delay up to this is jitter or drift; beyond it, if it lasts, the sender began a new clock. */
const toleranceS = 0.5;
/** A packet this far off, among others that aren't, is a stray. */
const strayS = 10;
/** At the end of a track too few packets follow to tell a new clock from a late packet. */
const enoughFollowers = 5;
const mostSources = 256;
const mostSegments = 10_000;

/** One SSRC at one clock rate: its timestamps without wrapping, and the segment of the clock it is in. */
type Source = {
  readonly clockRate: number;
  lastTimestamp: number;
  extended: number;
  /** Undefined before the first packet is placed. */
  segment: number | undefined;
  /** Arrival less timestamp, smoothed, in seconds: follows the drift between the sender's clock and ours. */
  delay: number;
};

type Waiting<Payload> = {
  readonly packet: ArrivedPacket<Payload>;
  readonly source: Source;
  readonly ticks: number;
  /** Arrival less timestamp, in seconds: how late it came, but for a constant. */
  readonly delay: number;
};

/**
 * Tells which packets of a track were stamped by one running clock: a segment. A new SSRC or clock rate begins one, and
 * so do timestamps that leave the pace of arrival for good; jitter, loss, pauses and drift don't. The same packets give
 * the same segments each time.
 */
export class SenderClocks<Payload> {
  readonly #sources = new Map<string, Source>();
  #waiting: Waiting<Payload>[] = [];
  #segments = 0;
  #strays = 0;

  /** Packets left out: far off every clock, or of too many sources. */
  get strays(): number {
    return this.#strays;
  }

  /** Takes the next packet in order of arrival; returns those whose place is now certain, in that order. */
  push(packet: ArrivedPacket<Payload>): ClockedPacket<Payload>[] {
    const source = this.#sourceOf(packet);
    if (!source) {
      this.#strays += 1;

      return [];
    }
    const ticks = source.extended + ((packet.timestamp - source.lastTimestamp) | 0);
    source.extended = ticks;
    source.lastTimestamp = packet.timestamp;
    const delay = packet.arrivalS - ticks / source.clockRate;
    this.#waiting.push({ packet, source, ticks, delay });

    return this.#settle(packet.arrivalS - lookAheadS, mostWaiting);
  }

  /** No more packets come: returns the rest. */
  finish(): ClockedPacket<Payload>[] {
    return this.#settle(Number.POSITIVE_INFINITY, 0);
  }

  #sourceOf({ ssrc, clockRate, timestamp }: ArrivedPacket<Payload>): Source | undefined {
    const key = `${ssrc}/${clockRate}`;
    const known = this.#sources.get(key);
    if (known || this.#sources.size === mostSources) return known;
    const source = { clockRate, lastTimestamp: timestamp, extended: 0, segment: undefined, delay: 0 };
    this.#sources.set(key, source);

    return source;
  }

  /** Places what arrived at or before `untilS`, and what is more than `keep`. */
  #settle(untilS: number, keep: number): ClockedPacket<Payload>[] {
    const placed: ClockedPacket<Payload>[] = [];
    let next = 0;
    for (const waiting of this.#waiting) {
      if (waiting.packet.arrivalS > untilS && this.#waiting.length - next <= keep) break;
      const segment = this.#place(waiting, next);
      next += 1;
      if (segment === undefined) this.#strays += 1;
      else placed.push({ segment, ticks: waiting.ticks, packet: waiting.packet });
    }
    if (next > 0) this.#waiting = this.#waiting.slice(next);

    return placed;
  }

  #place(waiting: Waiting<Payload>, index: number): number | undefined {
    const { source, delay, packet } = waiting;
    const off = Math.abs(delay - source.delay);
    if (source.segment === undefined) return this.#begin(source, delay);
    if (!packet.timed) return off > strayS ? undefined : source.segment;
    if (off <= toleranceS) {
      source.delay += (delay - source.delay) / 8;

      return source.segment;
    }
    const usual = this.#usualDelay(source, index);
    const limitS = usual.packets < enoughFollowers ? strayS : toleranceS;
    if (Math.abs(usual.delay - source.delay) > limitS) return this.#begin(source, usual.delay);

    return off > strayS ? undefined : source.segment;
  }

  #begin(source: Source, delay: number): number | undefined {
    if (this.#segments === mostSegments) return undefined;
    source.segment = this.#segments++;
    source.delay = delay;

    return source.segment;
  }

  /** Delay of the faster packets of a source from `index` on: the tenth part, so that a few liars don't count. */
  #usualDelay(source: Source, index: number): { readonly delay: number; readonly packets: number } {
    const delays = this.#waiting
      .slice(index)
      .filter((waiting) => waiting.source === source && waiting.packet.timed)
      .map(({ delay }) => delay)
      .toSorted((a, b) => a - b);

    return { delay: delays[Math.floor(delays.length / 10)] ?? 0, packets: delays.length };
  }
}
