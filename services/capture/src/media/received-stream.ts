import type { LogStream, SegmentLog, StreamHead } from '@reelstream/recording/segments';
import type { Codec } from '@reelstream/recording';
import { FrameEditor, mediaFigures, SrtpSession, transformed } from '@reelstream/rtp';
import type { SlotCounts, SrtpKeys } from '@reelstream/rtp';
import { HeldRuns } from './held-runs.ts';
import type { Outgoing } from './outgoing.ts';
import type { StreamIntake } from './stream-intake.ts';
import type { AgreedTrack, TrackFigures } from './types.ts';

export type Clocks = {
  /** ns since boot. */
  readonly monotonicNs: () => number;
  readonly wallMs: () => number;
};

export type FirstPacket = { readonly at: string; readonly ssrc: number; readonly payloadType: number };

const editor = new FrameEditor();
const mostCodecsTold = 32;
/** What accompanies media and is none. */
const companions = new Set(['TELEPHONE-EVENT', 'CN', 'RED', 'ULPFEC', 'FLEXFEC', 'RTX']);

/** One track while it is received: counts what comes and hands it to the segment log. */
export class ReceivedStream {
  readonly slot: number;
  /** Whether what comes is counted only: nothing of it may reach the log. */
  paused = false;
  readonly #log: SegmentLog;
  readonly #stream: LogStream;
  readonly #clocks: Clocks;
  readonly #intake: StreamIntake;
  #firstPacketAt: string | undefined;
  #dropped = 0;
  #rejected = 0;
  /** Set where the stream is encrypted: what comes passes it before anything else reads it. */
  #srtp: SrtpSession | undefined;
  #held: HeldRuns | undefined;
  #codecsTold = 0;
  #codec: number | undefined;
  readonly #onRejected = (): void => void this.#rejected++;

  constructor(slot: number, log: SegmentLog, stream: LogStream, clocks: Clocks, intake: StreamIntake) {
    this.slot = slot;
    this.#log = log;
    this.#stream = stream;
    this.#clocks = clocks;
    this.#intake = intake;
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
    // What decrypts is the sender's, wherever it comes from.
    if (this.#srtp) this.#intake.latch.trust();
    const kept = this.#intake.take(frames, this.paused);
    if (kept.length > 0 && !this.#log.append(this.#stream, kept)) this.#dropped += this.#intake.taken;

    return this.#first();
  }

  /** What signalling has agreed on, from now on. */
  agree(agreed: AgreedTrack): void {
    this.#intake.agree(agreed);
  }

  /** RTCP that is due. */
  due(nowNs: number): Outgoing | undefined {
    return this.#protected(this.#intake.due(nowNs));
  }

  /** RTCP to end with. */
  farewell(nowNs: number): Outgoing | undefined {
    return this.#protected(this.#intake.farewell(nowNs));
  }

  /** The codec that is used now, where it is another than before. */
  newCodec(): { readonly at: string; readonly codec: Codec } | undefined {
    const { statistics, agreedCodecs } = this.#intake;
    const { payloadType, fromNs } = statistics.stretches.at(-1) ?? {};
    if (payloadType === undefined || payloadType === this.#codec || fromNs === undefined) return undefined;
    const codec = agreedCodecs.find((agreed) => agreed.payloadType === payloadType);
    if (!codec || companions.has(codec.codec.toUpperCase())) return undefined;
    this.#codec = payloadType;

    return this.#codecsTold++ < mostCodecsTold ? { at: this.#wall(fromNs), codec } : undefined;
  }

  /** The same sockets, of which what comes from now on is another track's. */
  handedTo(stream: LogStream): ReceivedStream {
    const intake = this.#intake.next(stream.sessionId);
    const next = new ReceivedStream(this.slot, this.#log, stream, this.#clocks, intake);
    next.#srtp = this.#srtp;

    return next;
  }

  /** Where its media ends in the segment log; undefined where nothing was taken. */
  head(worker: number): StreamHead | undefined {
    return this.#stream.ordinal > 0
      ? { trackNumber: this.trackNumber, worker, ...this.#stream.head }
      : undefined;
  }

  figures({ malformed, overflowed }: SlotCounts): TrackFigures {
    const { statistics, control, codecs, latch, unwanted } = this.#intake;
    const { packets, rtcpPackets, bytes, lost, jitterMs, firstNs, lastNs, sources } = statistics;

    return {
      trackNumber: this.trackNumber,
      packets: packets - unwanted.packets,
      rtcpPackets,
      bytes: bytes - unwanted.bytes,
      lost,
      ...(jitterMs !== undefined && { jitterMs }),
      ssrcs: sources.map(({ ssrc }) => ssrc),
      ...(this.#firstPacketAt !== undefined && { firstPacketAt: this.#firstPacketAt }),
      ...(lastNs !== undefined && { lastPacketAt: this.#wall(lastNs) }),
      durationMs: Math.round(((lastNs ?? 0) - (firstNs ?? 0)) / 1e3) / 1e3,
      payloadSpans: this.#spans(),
      figures: {
        ...mediaFigures(statistics, control, { codecs }),
        strays: latch.strays,
        sourceChanges: latch.moves,
      },
      malformed,
      rejected: this.#rejected,
      ...(this.#srtp && { srtp: this.#srtp.counts }),
      dropped: this.#dropped + overflowed,
      paused: unwanted.packets,
    };
  }

  #spans(): TrackFigures['payloadSpans'] {
    return this.#intake.statistics.stretches.map(({ payloadType, fromNs, toNs, packets, ptimeMs }) => ({
      payloadType,
      from: this.#wall(fromNs),
      to: this.#wall(toNs),
      packets,
      ...(ptimeMs !== undefined && { ptimeMs }),
    }));
  }

  /** Where the stream is encrypted, what we say is, too. */
  #protected(outgoing: Outgoing | undefined): Outgoing | undefined {
    if (!outgoing || !this.#srtp) return outgoing;
    const packet = this.#srtp.protect(outgoing.packet);

    return packet && { ...outgoing, packet: Buffer.from(packet) };
  }

  #first(): FirstPacket | undefined {
    const [first] = this.#intake.statistics.stretches;
    if (this.#firstPacketAt !== undefined || !first) return undefined;
    this.#firstPacketAt = this.#wall(first.fromNs);

    return { at: this.#firstPacketAt, ssrc: first.ssrc, payloadType: first.payloadType };
  }

  #wall(arrivalNs: number): string {
    const agoMs = (this.#clocks.monotonicNs() - arrivalNs) / 1e6;

    return new Date(Math.round(this.#clocks.wallMs() - agoMs)).toISOString();
  }
}
