import { payloadTypeAt, rtpHeaderLength, sequenceNumberAt, ssrcAt, timestampAt } from './header.ts';
import { clockRateOf } from './payload-types.ts';
import { PayloadStretches } from './payload-stretches.ts';
import type { PayloadStretch } from './payload-stretches.ts';
import { SourceStatistics } from './source-statistics.ts';
import type { Pace, PacedPackets } from './paced-streams.ts';

/** Packets missing between two that came. */
export type MissingStretch = {
  readonly fromNs: number;
  readonly durationNs: number;
  readonly packets: number;
};

type Source = {
  readonly statistics: SourceStatistics;
  lastNs: number;
  payloadType: number;
  /** Of its last packet, in Hz; undefined where unknown. */
  clockRate: number | undefined;
};

/** A peer that sends ever new SSRCs is still counted, but they are not kept apart, past these. */
const maxSources = 64;

/** What is known of a payload type: Hz, or 0 where its timestamps tell nothing of time (telephone events, RFC 4733 §2.2). */
export type ClockRates = ReadonlyMap<number, number>;

/**
 * Everything counted of one stream (socket pair): RFC 3550 accounting per SSRC, and which payload types came when.
 * Takes packets in any number; allocates only when an SSRC or payload type is new.
 */
export class StreamStatistics {
  packets = 0;
  rtcpPackets = 0;
  bytes = 0;
  /** Times that the SSRC changed from one packet to the next. */
  ssrcChanges = 0;
  firstNs: number | undefined;
  lastNs: number | undefined;
  /** Called where sequence numbers were skipped. */
  onMissing: ((missing: MissingStretch) => void) | undefined;
  #clockRates: ClockRates;
  readonly #sources = new Map<number, Source>();
  readonly #stretches: PayloadStretches;
  #source: Source | undefined;

  /** `clockRates`: Hz by payload type; static ones (RFC 3551) needn't be given, without one there is no jitter. */
  constructor(clockRates: ClockRates = new Map(), mediaType: 'audio' | 'video' = 'audio') {
    this.#clockRates = clockRates;
    this.#stretches = new PayloadStretches(mediaType === 'audio');
  }

  /** From now on payload types mean this. */
  set clockRates(clockRates: ClockRates) {
    this.#clockRates = clockRates;
  }

  get sources(): readonly SourceStatistics[] {
    return [...this.#sources.values()].map(({ statistics }) => statistics);
  }

  /** The SSRC that sent last, and when. */
  get current(): { readonly statistics: SourceStatistics; readonly lastNs: number } | undefined {
    return this.#source;
  }

  /** SSRCs of which a packet came after `ns`. */
  heardSince(ns: number): readonly SourceStatistics[] {
    return [...this.#sources.values()]
      .filter(({ lastNs }) => lastNs > ns)
      .map(({ statistics }) => statistics);
  }

  /** How many there are. */
  countHeardSince(ns: number): number {
    let count = 0;
    for (const { lastNs } of this.#sources.values()) if (lastNs > ns) count++;

    return count;
  }

  has(ssrc: number): boolean {
    return this.#sources.has(ssrc);
  }

  get stretches(): readonly PayloadStretch[] {
    return this.#stretches.all;
  }

  /** Over all SSRCs; never below zero. */
  get lost(): number {
    return Math.max(
      0,
      this.#sum(({ lost }) => lost),
    );
  }

  get expected(): number {
    return this.#sum(({ expected }) => expected);
  }

  get missing(): number {
    return this.#sum(({ missing }) => missing);
  }

  get skips(): number {
    return this.#sum(({ skips }) => skips);
  }

  get duplicates(): number {
    return this.#sum(({ duplicates }) => duplicates);
  }

  get reordered(): number {
    return this.#sum(({ reordered }) => reordered);
  }

  /** Jitter of the SSRC that sent last, in ms; undefined where its clock rate is unknown. */
  get jitterMs(): number | undefined {
    return this.#inMs(({ jitter }) => jitter);
  }

  /** The highest that it was. */
  get highestJitterMs(): number | undefined {
    return this.#inMs(({ highestJitter }) => highestJitter);
  }

  get meanJitterMs(): number | undefined {
    return this.#inMs(({ meanJitter }) => meanJitter);
  }

  takeRtcp(): void {
    this.rtcpPackets++;
  }

  /** Accounts for the RTP packet at `bytes[at .. at + length]`; shorter ones than a header are ignored. */
  takeRtp(bytes: Uint8Array, at: number, length: number, arrivalNs: number): void {
    if (length < rtpHeaderLength) return;
    this.packets++;
    this.bytes += length;
    this.firstNs ??= arrivalNs;
    const ssrc = ssrcAt(bytes, at);
    const payloadType = payloadTypeAt(bytes, at);
    const sequenceNumber = sequenceNumberAt(bytes, at);
    const timestamp = timestampAt(bytes, at);
    const clockRate = this.#clockRates.get(payloadType) ?? clockRateOf(payloadType);
    this.#stretches.take(ssrc, payloadType, sequenceNumber, timestamp, clockRate, arrivalNs);
    this.lastNs = arrivalNs;

    const source = this.#source?.statistics.ssrc === ssrc ? this.#source : this.#find(ssrc, bytes, at);
    if (!source) return;
    const skipped = source.statistics.take(sequenceNumber);
    if (skipped > 0) this.#missing(skipped, source.lastNs, arrivalNs);
    if (clockRate) {
      if (clockRate !== source.clockRate) source.statistics.forgetTransit();
      source.statistics.takeTransit((arrivalNs / 1e9) * clockRate, timestamp);
      source.clockRate = clockRate;
    }
    source.lastNs = arrivalNs;
    source.payloadType = payloadType;
    if (this.#source && this.#source !== source) this.ssrcChanges++;
    this.#source = source;
  }

  /** By what the next packets merely go on; undefined where they may tell something new. */
  get pace(): Pace | undefined {
    const source = this.#source;
    const { sequenceNumber, timestamp } = this.#stretches.last;
    const { ssrc, payloadType } = this.#stretches.all.at(-1) ?? {};
    if (!source || source.statistics.ssrc !== ssrc || source.payloadType !== payloadType) return undefined;
    const clockRate = this.#clockRates.get(payloadType) ?? clockRateOf(payloadType);
    const ticks = this.#stretches.pace(clockRate);
    const jitter = clockRate === source.clockRate ? source.statistics.jitterState : undefined;
    if (ticks === undefined || !source.statistics.isAt(sequenceNumber) || (clockRate && !jitter))
      return undefined;

    return { ssrc, payloadType, sequenceNumber, timestamp, ticks, clockRate, jitter };
  }

  /** Comes to the same as `takeRtp` of each of these, which came at the stream's pace. */
  takePaced({ packets, bytes, sequenceNumber, timestamp, arrivalNs, jitter }: PacedPackets): void {
    const source = this.#source;
    if (!source) return;
    this.packets += packets;
    this.bytes += bytes;
    this.lastNs = arrivalNs;
    this.#stretches.takeFollowing(packets, sequenceNumber, timestamp, arrivalNs);
    source.statistics.takeFollowing(packets);
    if (jitter) source.statistics.takeJitter(packets, jitter);
    source.lastNs = arrivalNs;
  }

  #find(ssrc: number, bytes: Uint8Array, at: number): Source | undefined {
    const known = this.#sources.get(ssrc);
    if (known || this.#sources.size >= maxSources) return known;
    const statistics = new SourceStatistics(ssrc, sequenceNumberAt(bytes, at));
    const payloadType = payloadTypeAt(bytes, at);
    const source: Source = { statistics, lastNs: 0, payloadType, clockRate: undefined };
    this.#sources.set(ssrc, source);

    return source;
  }

  #missing(packets: number, beforeNs: number, afterNs: number): void {
    // The hole spans all intervals but the one that a packet that did come accounts for.
    const intervalNs = Math.max(0, afterNs - beforeNs) / (packets + 1);
    this.onMissing?.({ fromNs: beforeNs + intervalNs, durationNs: intervalNs * packets, packets });
  }

  #sum(of: (statistics: SourceStatistics) => number): number {
    let sum = 0;
    for (const { statistics } of this.#sources.values()) sum += of(statistics);

    return sum;
  }

  #inMs(of: (statistics: SourceStatistics) => number): number | undefined {
    const { statistics, clockRate } = this.#source ?? {};

    return statistics && clockRate ? (of(statistics) / clockRate) * 1_000 : undefined;
  }
}
