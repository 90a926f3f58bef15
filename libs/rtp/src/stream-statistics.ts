import { payloadTypeAt, rtpHeaderLength, sequenceNumberAt, ssrcAt, timestampAt } from './header.ts';
import { clockRateOf } from './payload-types.ts';
import { SourceStatistics } from './source-statistics.ts';

/** A stretch in which one SSRC sent one payload type. Arrivals in ns. */
export type PayloadStretch = {
  readonly ssrc: number;
  readonly payloadType: number;
  readonly fromNs: number;
  readonly toNs: number;
  readonly packets: number;
};

/** Packets missing between two that came. */
export type MissingStretch = {
  readonly fromNs: number;
  readonly durationNs: number;
  readonly packets: number;
};

type Stretch = { -readonly [K in keyof PayloadStretch]: PayloadStretch[K] };

/** A peer that sends ever new SSRCs or payload types is still counted, but not kept apart, past these. */
const maxSources = 64;
const maxStretches = 256;

/**
 * Everything counted of one stream (socket pair): RFC 3550 accounting per SSRC, and which payload types came when.
 * Takes packets in any number; allocates only when an SSRC or payload type is new.
 */
export class StreamStatistics {
  packets = 0;
  rtcpPackets = 0;
  bytes = 0;
  firstNs: number | undefined;
  lastNs: number | undefined;
  /** Called where sequence numbers were skipped. */
  onMissing: ((missing: MissingStretch) => void) | undefined;
  readonly #clockRates: ReadonlyMap<number, number>;
  readonly #sources = new Map<
    number,
    { statistics: SourceStatistics; lastNs: number; payloadType: number }
  >();
  readonly #stretches: Stretch[] = [];
  #source: { statistics: SourceStatistics; lastNs: number; payloadType: number } | undefined;

  /** `clockRates`: Hz by payload type; static ones (RFC 3551) needn't be given, without one there is no jitter. */
  constructor(clockRates: ReadonlyMap<number, number> = new Map()) {
    this.#clockRates = clockRates;
  }

  get sources(): readonly SourceStatistics[] {
    return [...this.#sources.values()].map(({ statistics }) => statistics);
  }

  get stretches(): readonly PayloadStretch[] {
    return this.#stretches;
  }

  /** Over all SSRCs; never below zero. */
  get lost(): number {
    let lost = 0;
    for (const { statistics } of this.#sources.values()) lost += statistics.lost;

    return Math.max(0, lost);
  }

  /** Jitter of the SSRC that sent last, in ms; undefined where its clock rate is unknown. */
  get jitterMs(): number | undefined {
    const source = this.#source;
    const clockRate = source && this.#clockRate(source.payloadType);

    return source && clockRate ? (source.statistics.jitter / clockRate) * 1_000 : undefined;
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
    this.#stretch(ssrc, payloadType, arrivalNs);
    this.lastNs = arrivalNs;

    const source = this.#source?.statistics.ssrc === ssrc ? this.#source : this.#find(ssrc, bytes, at);
    if (!source) return;
    const skipped = source.statistics.take(sequenceNumberAt(bytes, at));
    if (skipped > 0) this.#missing(skipped, source.lastNs, arrivalNs);
    const clockRate = this.#clockRate(payloadType);
    if (payloadType !== source.payloadType) source.statistics.forgetTransit();
    if (clockRate) source.statistics.takeTransit((arrivalNs / 1e9) * clockRate, timestampAt(bytes, at));
    source.lastNs = arrivalNs;
    source.payloadType = payloadType;
    this.#source = source;
  }

  #clockRate(payloadType: number): number | undefined {
    return this.#clockRates.get(payloadType) ?? clockRateOf(payloadType);
  }

  #find(ssrc: number, bytes: Uint8Array, at: number) {
    const known = this.#sources.get(ssrc);
    if (known || this.#sources.size >= maxSources) return known;
    const statistics = new SourceStatistics(ssrc, sequenceNumberAt(bytes, at));
    const source = { statistics, lastNs: 0, payloadType: payloadTypeAt(bytes, at) };
    this.#sources.set(ssrc, source);

    return source;
  }

  #missing(packets: number, beforeNs: number, afterNs: number): void {
    // The hole spans all intervals but the one that a packet that did come accounts for.
    const intervalNs = Math.max(0, afterNs - beforeNs) / (packets + 1);
    this.onMissing?.({ fromNs: beforeNs + intervalNs, durationNs: intervalNs * packets, packets });
  }

  #stretch(ssrc: number, payloadType: number, arrivalNs: number): void {
    const last = this.#stretches.at(-1);
    const same = last !== undefined && last.ssrc === ssrc && last.payloadType === payloadType;
    if (last && (same || this.#stretches.length >= maxStretches)) {
      last.toNs = arrivalNs;
      last.packets++;
    } else {
      this.#stretches.push({ ssrc, payloadType, fromNs: arrivalNs, toNs: arrivalNs, packets: 1 });
    }
  }
}
