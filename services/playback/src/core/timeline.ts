/** A packet of one track as it arrived. `timestamp` is RTP's, in samples, 32 bits wide. */
export type ArrivedPacket<Payload> = {
  /** Arrival since the start of the session. */
  readonly arrivalMs: number;
  readonly ssrc: number;
  readonly timestamp: number;
  /** Length of the payload in samples. */
  readonly samples: number;
  readonly payload: Payload;
};

/** Where a packet's samples belong, counted from the start of the session; slightly below 0 where it came late. */
export type PlacedPacket<Payload> = { readonly position: number; readonly payload: Payload };

/** How far ahead a decision about a packet may look: by arrival, and by number. */
const lookAheadMs = 1_000;
const mostWaiting = 256;
/** A change of delay up to this is jitter or drift; beyond it, if it lasts, the sender began a new clock. */
const toleranceMs = 500;
/** A packet this far off, among others that aren't, is a stray. */
const strayMs = 10_000;
/** At the end of a track too few packets follow to tell a new clock from a late packet. */
const enoughFollowers = 5;
const mostSources = 256;

/** One SSRC: its timestamps without wrapping, and the segment of the clock it is in. */
type Source = {
  lastTimestamp: number;
  extended: number;
  /** What to add to an extended timestamp to get a position. Undefined before the first packet is placed. */
  offset: number | undefined;
  /** Arrival less timestamp, smoothed: follows the drift between the sender's clock and ours. */
  delay: number;
};

type Waiting<Payload> = {
  readonly packet: ArrivedPacket<Payload>;
  readonly source: Source;
  readonly extended: number;
  /** Arrival less timestamp, in samples: how late it came, but for a constant. */
  readonly delay: number;
};

/**
 * Lays the packets of one track on the common clock. A sender's clock is tied to ours where it begins, by the arrival
 * of its least delayed first packets; from there the timestamps alone decide, so that samples stay where they were sent,
 * loss is a gap, and neither jitter nor reordering moves anything. A new SSRC, or timestamps that leave the pace of
 * arrival for good, tie a new clock, never on top of what is there.
 */
export class Timeline<Payload> {
  readonly #perMs: number;
  readonly #sources = new Map<number, Source>();
  #waiting: Waiting<Payload>[] = [];
  #end = Number.NEGATIVE_INFINITY;
  #strays = 0;

  /** `sampleRate` in Hz; it is the RTP clock rate too. */
  constructor(sampleRate: number) {
    this.#perMs = sampleRate / 1_000;
  }

  /** Packets left out: far off every clock, or of too many sources. */
  get strays(): number {
    return this.#strays;
  }

  /** Takes the next packet in order of arrival; returns those whose place is now certain, in that order. */
  push(packet: ArrivedPacket<Payload>): PlacedPacket<Payload>[] {
    const source = this.#sourceOf(packet);
    if (!source) {
      this.#strays += 1;

      return [];
    }
    source.extended += (packet.timestamp - source.lastTimestamp) | 0;
    source.lastTimestamp = packet.timestamp;
    const delay = packet.arrivalMs * this.#perMs - source.extended;
    this.#waiting.push({ packet, source, extended: source.extended, delay });

    return this.#settle(packet.arrivalMs - lookAheadMs, mostWaiting);
  }

  /** No more packets come: returns the rest. */
  finish(): PlacedPacket<Payload>[] {
    return this.#settle(Number.POSITIVE_INFINITY, 0);
  }

  #sourceOf(packet: ArrivedPacket<Payload>): Source | undefined {
    const known = this.#sources.get(packet.ssrc);
    if (known || this.#sources.size === mostSources) return known;
    const source = { lastTimestamp: packet.timestamp, extended: 0, offset: undefined, delay: 0 };
    this.#sources.set(packet.ssrc, source);

    return source;
  }

  /** Places what arrived at or before `untilMs`, and what is more than `keep`. */
  #settle(untilMs: number, keep: number): PlacedPacket<Payload>[] {
    const placed: PlacedPacket<Payload>[] = [];
    let next = 0;
    for (const waiting of this.#waiting) {
      if (waiting.packet.arrivalMs > untilMs && this.#waiting.length - next <= keep) break;
      const position = this.#place(waiting, next);
      next += 1;
      if (position === undefined) this.#strays += 1;
      else placed.push({ position, payload: waiting.packet.payload });
    }
    this.#waiting = this.#waiting.slice(next);

    return placed;
  }

  #place(waiting: Waiting<Payload>, index: number): number | undefined {
    const { source, extended, delay, packet } = waiting;
    const off = Math.abs(delay - source.delay);
    if (source.offset === undefined) this.#tie(waiting, this.#usualDelay(source, index).delay);
    else if (off <= toleranceMs * this.#perMs) source.delay += (delay - source.delay) / 8;
    else {
      const usual = this.#usualDelay(source, index);
      const limitMs = usual.packets < enoughFollowers ? strayMs : toleranceMs;
      if (Math.abs(usual.delay - source.delay) > limitMs * this.#perMs) this.#tie(waiting, usual.delay);
      else if (off > strayMs * this.#perMs) return undefined;
    }
    const position = extended + (source.offset ?? 0);
    this.#end = Math.max(this.#end, position + packet.samples);

    return position;
  }

  /** Begins a segment: the clock is that of the least delayed packets, within reason, and behind what is there. */
  #tie({ source, extended, delay }: Waiting<Payload>, usual: number): void {
    const earliest = Math.max(Math.min(usual, delay), delay - toleranceMs * this.#perMs);
    source.offset = Math.round(Math.max(earliest, this.#end - extended));
    source.delay = delay;
  }

  /** Delay of the faster packets of a source from `index` on: the tenth part, so that a few liars don't count. */
  #usualDelay(source: Source, index: number): { readonly delay: number; readonly packets: number } {
    const delays = this.#waiting
      .slice(index)
      .filter((waiting) => waiting.source === source)
      .map(({ delay }) => delay)
      .toSorted((a, b) => a - b);

    return { delay: delays[Math.floor(delays.length / 10)] ?? 0, packets: delays.length };
  }
}
