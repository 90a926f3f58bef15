import type { LogStream, SegmentLog, StreamHead } from '@reelstream/recording/segments';
import { FrameEditor, frameKind, StreamStatistics, transformed, walkFrames } from '@reelstream/rtp';
import type { PacketTransform, SlotCounts } from '@reelstream/rtp';
import type { TrackFigures } from './types.ts';

export type Clocks = {
  /** ns since boot. */
  readonly monotonicNs: () => number;
  readonly wallMs: () => number;
};

const editor = new FrameEditor();

/** One track while it is received: counts what comes and hands it to the segment log. */
export class ReceivedStream {
  readonly slot: number;
  /** Set where the stream is encrypted: what comes passes it before anything else reads it. */
  transform: PacketTransform | undefined;
  readonly #log: SegmentLog;
  readonly #stream: LogStream;
  readonly #clocks: Clocks;
  readonly #statistics: StreamStatistics;
  #firstPacketAt: string | undefined;
  #dropped = 0;
  #rejected = 0;
  readonly #onRejected = (): void => void this.#rejected++;

  constructor(
    slot: number,
    log: SegmentLog,
    stream: LogStream,
    clocks: Clocks,
    clockRates: ReadonlyMap<number, number>,
  ) {
    this.slot = slot;
    this.#log = log;
    this.#stream = stream;
    this.#clocks = clocks;
    this.#statistics = new StreamStatistics(clockRates);
  }

  get sessionId(): string {
    return this.#stream.sessionId;
  }

  get trackNumber(): number {
    return this.#stream.trackNumber;
  }

  /** Takes a run of frames; returns what the first RTP packet of the track was, in the run that has it. */
  take(
    run: Buffer,
  ): { readonly at: string; readonly ssrc: number; readonly payloadType: number } | undefined {
    const frames = this.transform
      ? editor.edit(run, transformed(run, this.transform, this.#onRejected))
      : run;
    if (frames.length === 0) return undefined;
    const statistics = this.#statistics;
    let packets = 0;
    walkFrames(frames, (kind, arrivalNs, at, length) => {
      if (kind === frameKind.rtp) statistics.takeRtp(frames, at, length, arrivalNs);
      else if (kind === frameKind.rtcp) statistics.takeRtcp();
      if (kind <= frameKind.rtcp) packets++;
    });
    if (!this.#log.append(this.#stream, frames)) this.#dropped += packets;
    const [first] = statistics.stretches;
    if (this.#firstPacketAt !== undefined || !first) return undefined;
    this.#firstPacketAt = this.#wall(first.fromNs);

    return { at: this.#firstPacketAt, ssrc: first.ssrc, payloadType: first.payloadType };
  }

  /** Where its media ends in the segment log; undefined where nothing was taken. */
  head(worker: number): StreamHead | undefined {
    return this.#stream.ordinal > 0
      ? { trackNumber: this.trackNumber, worker, ...this.#stream.head }
      : undefined;
  }

  figures({ malformed, overflowed }: SlotCounts): TrackFigures {
    const { packets, rtcpPackets, bytes, lost, jitterMs, firstNs, lastNs, sources, stretches } =
      this.#statistics;

    return {
      trackNumber: this.trackNumber,
      packets,
      rtcpPackets,
      bytes,
      lost,
      ...(jitterMs !== undefined && { jitterMs }),
      ssrcs: sources.map(({ ssrc }) => ssrc),
      ...(this.#firstPacketAt !== undefined && { firstPacketAt: this.#firstPacketAt }),
      ...(lastNs !== undefined && { lastPacketAt: this.#wall(lastNs) }),
      durationMs: Math.round(((lastNs ?? 0) - (firstNs ?? 0)) / 1e3) / 1e3,
      payloadSpans: stretches.map(({ payloadType, fromNs, toNs, packets: count }) => ({
        payloadType,
        from: this.#wall(fromNs),
        to: this.#wall(toNs),
        packets: count,
      })),
      malformed,
      rejected: this.#rejected,
      dropped: this.#dropped + overflowed,
    };
  }

  #wall(arrivalNs: number): string {
    const agoMs = (this.#clocks.monotonicNs() - arrivalNs) / 1e6;

    return new Date(Math.round(this.#clocks.wallMs() - agoMs)).toISOString();
  }
}
