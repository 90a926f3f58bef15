import type { LogStream, SegmentLog, StreamHead } from '@reelstream/recording/segments';
import {
  FrameEditor,
  frameKind,
  SrtpSession,
  StreamStatistics,
  transformed,
  walkFrames,
} from '@reelstream/rtp';
import type { SlotCounts, SrtpKeys } from '@reelstream/rtp';
import { HeldRuns } from './held-runs.ts';
import type { TrackFigures } from './types.ts';

export type Clocks = {
  /** ns since boot. */
  readonly monotonicNs: () => number;
  readonly wallMs: () => number;
};

export type FirstPacket = { readonly at: string; readonly ssrc: number; readonly payloadType: number };

const editor = new FrameEditor();

/** One track while it is received: counts what comes and hands it to the segment log. */
export class ReceivedStream {
  readonly slot: number;
  /** Whether what comes is counted only: nothing of it may reach the log. */
  paused = false;
  readonly #log: SegmentLog;
  readonly #stream: LogStream;
  readonly #clocks: Clocks;
  readonly #statistics: StreamStatistics;
  #firstPacketAt: string | undefined;
  #dropped = 0;
  #rejected = 0;
  /** Set where the stream is encrypted: what comes passes it before anything else reads it. */
  #srtp: SrtpSession | undefined;
  #held: HeldRuns | undefined;
  #unwanted = { packets: 0, bytes: 0 };
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

  get srtp(): SrtpSession | undefined {
    return this.#srtp;
  }

  /**
   * Decrypts by these keys from now on, and what was held back until they came; a stream that was encrypted keeps what it
   * knows of its sources. Returns what `take` does.
   */
  secure(keys: SrtpKeys | 'awaited' | undefined): FirstPacket | undefined {
    if (keys === 'awaited') {
      this.#held ??= new HeldRuns();

      return undefined;
    }
    if (keys && this.#srtp) this.#srtp.setKeys(keys);
    else this.#srtp = keys && new SrtpSession(keys);
    const held = this.#held;
    this.#held = undefined;

    return held?.runs.map((run) => this.take(run)).find((first) => first !== undefined);
  }

  /** Takes a run of frames; returns what the first RTP packet of the track was, in the run that has it. */
  take(run: Buffer): FirstPacket | undefined {
    if (this.#held) {
      this.#dropped += this.#held.hold(run);

      return undefined;
    }
    const frames = this.#srtp ? editor.edit(run, transformed(run, this.#srtp, this.#onRejected)) : run;
    if (frames.length === 0) return undefined;
    const statistics = this.#statistics;
    if (this.paused) return this.#pass(frames);
    let packets = 0;
    walkFrames(frames, (kind, arrivalNs, at, length) => {
      if (kind === frameKind.rtp) statistics.takeRtp(frames, at, length, arrivalNs);
      else if (kind === frameKind.rtcp) statistics.takeRtcp();
      if (kind <= frameKind.rtcp) packets++;
    });
    if (!this.#log.append(this.#stream, frames)) this.#dropped += packets;

    return this.#first();
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
      packets: packets - this.#unwanted.packets,
      rtcpPackets,
      bytes: bytes - this.#unwanted.bytes,
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
      ...(this.#srtp && { srtp: this.#srtp.counts }),
      dropped: this.#dropped + overflowed,
      paused: this.#unwanted.packets,
    };
  }

  /** Accounts for what must not be kept, so that the sender's numbers go on and reports to it are true. */
  #pass(frames: Buffer): FirstPacket | undefined {
    walkFrames(frames, (kind, arrivalNs, at, length) => {
      if (kind !== frameKind.rtp) return;
      this.#statistics.takeRtp(frames, at, length, arrivalNs);
      this.#unwanted.packets++;
      this.#unwanted.bytes += length;
    });

    return this.#first();
  }

  #first(): FirstPacket | undefined {
    const [first] = this.#statistics.stretches;
    if (this.#firstPacketAt !== undefined || !first) return undefined;
    this.#firstPacketAt = this.#wall(first.fromNs);

    return { at: this.#firstPacketAt, ssrc: first.ssrc, payloadType: first.payloadType };
  }

  #wall(arrivalNs: number): string {
    const agoMs = (this.#clocks.monotonicNs() - arrivalNs) / 1e6;

    return new Date(Math.round(this.#clocks.wallMs() - agoMs)).toISOString();
  }
}
