import type { LogStream, SegmentLog, StreamHead } from '@reelstream/recording/segments';
import type { Codec } from '@reelstream/recording';
import { FrameEditor, mediaFigures, SrtpSession, transformed } from '@reelstream/rtp';
import type { SlotCounts, SrtpKeys } from '@reelstream/rtp';
import { isCompanion } from '../core/companions.ts';
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

/** One track while it is received: counts what comes and hands it to the segment log. */
export class ReceivedStream {
  readonly slot: number;
  readonly #log: SegmentLog;
  readonly #stream: LogStream;
  readonly #clocks: Clocks;
  readonly #intake: StreamIntake;
  #paused = false;
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
    this.#setOpen();
  }

  /** Whether what comes is counted only: nothing of it may reach the log. */
  set paused(paused: boolean) {
    this.#paused = paused;
    this.#setOpen();
  }

  /** Where its frames go. */
  get logStream(): LogStream {
    return this.#stream;
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
   * knows of its sources. Returns what `first` does.
   */
  secure(keys: SrtpKeys | 'awaited' | undefined): FirstPacket | undefined {
    if (keys === 'awaited') {
      this.#held ??= new HeldRuns();
      this.#setOpen();

      return undefined;
    }
    if (keys && this.#srtp) this.#srtp.setKeys(keys);
    else this.#srtp = keys && new SrtpSession(keys);
    const held = this.#held;
    this.#held = undefined;
    this.#setOpen();
    for (const run of held?.runs ?? []) this.take(run, 0, run.length);

    return this.first();
  }

  /**
   * Takes the run `frames[from .. to]` with its checksum (by `SegmentLog.seed`). True: it merely went on as before; false: there may be
   * news, as `first` and `newCodec` tell it, and something due.
   */
  take(frames: Buffer, from: number, to: number, crc?: number): boolean {
    const run = frames.subarray(from, to);
    const plain = this.#held || this.#srtp ? this.#decrypted(run) : run;
    if (plain.length === 0) return true;
    const paced = !this.#paused && this.#intake.takePaced(plain);
    // Whatever is left of the run lies where it lay, from its beginning.
    const kept = paced ? plain : this.#intake.take(plain, this.#paused);
    if (kept.length > 0)
      this.#keep(frames, from, from + kept.length, kept.length === run.length ? crc : undefined);

    return paced;
  }

  /** Some packets didn't find room in the log. */
  drop(packets: number): void {
    this.#dropped += packets;
  }

  /** What signalling has agreed on, from now on. */
  agree(agreed: AgreedTrack): void {
    this.#intake.agree(agreed);
  }

  /** What the first RTP packet of the track was, once. */
  first(): FirstPacket | undefined {
    if (this.#firstPacketAt !== undefined) return undefined;
    const [first] = this.#intake.statistics.stretches;
    if (!first) return undefined;
    this.#firstPacketAt = this.#wall(first.fromNs);

    return { at: this.#firstPacketAt, ssrc: first.ssrc, payloadType: first.payloadType };
  }

  /** When to ask for what is due, unless there is news before. */
  get nextDueNs(): number {
    return this.#intake.nextDueNs;
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
    if (!codec || isCompanion(codec.codec)) return undefined;
    this.#codec = payloadType;

    return this.#codecsTold++ < mostCodecsTold ? { at: this.#wall(fromNs), codec } : undefined;
  }

  /** The same sockets, of which what comes from now on is another track's. */
  handedTo(stream: LogStream): ReceivedStream {
    const intake = this.#intake.next(stream.sessionId);
    const next = new ReceivedStream(this.slot, this.#log, stream, this.#clocks, intake);
    next.#srtp = this.#srtp;
    // Of what waits for keys, that which came until now is the first one's.
    if (this.#held) next.#held = new HeldRuns();
    next.#setOpen();

    return next;
  }

  /** Where its media ends in the segment log; undefined where nothing was taken. */
  head(worker: number): StreamHead | undefined {
    return this.#stream.ordinal > 0
      ? { trackNumber: this.trackNumber, worker, ...this.#stream.head }
      : undefined;
  }

  figures({ malformed, overflowed }: SlotCounts, handshakes?: TrackFigures['handshakes']): TrackFigures {
    const { statistics, control, codecs, latch, unwanted } = this.#intake;
    const { packets, rtcpPackets, bytes, lost, jitterMs, firstNs, lastNs, sources } = statistics;
    const srtp = this.#srtp?.counts;

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
        ...(srtp && { undecryptable: this.#rejected, overLifetime: srtp.overLifetime }),
        ...(handshakes && {
          handshakesFailed: handshakes.failed,
          wrongCertificates: handshakes.differing,
          handshakeJunk: handshakes.junk,
        }),
      },
      malformed,
      // What waits for keys is not read as long as it does.
      rejected: this.#rejected + (this.#held?.packets ?? 0),
      ...(srtp && { srtp }),
      ...(handshakes && { handshakes }),
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

  #setOpen(): void {
    this.#intake.setOpen(!this.#srtp && !this.#held && !this.#paused);
  }

  #keep(frames: Buffer, from: number, to: number, crc: number | undefined): void {
    if (!this.#log.append(this.#stream, frames, from, to, crc)) this.drop(this.#intake.taken);
  }

  /** What is left of a run by the keys of now; nothing while they are awaited. */
  #decrypted(run: Buffer): Buffer {
    if (this.#held) {
      this.drop(this.#held.hold(run));

      return run.subarray(0, 0);
    }
    // What decrypts is the sender's, wherever it comes from.
    this.#intake.latch.trust();

    return this.#srtp ? editor.edit(run, transformed(run, this.#srtp, this.#onRejected)) : run;
  }

  #wall(arrivalNs: number): string {
    const agoMs = (this.#clocks.monotonicNs() - arrivalNs) / 1e6;

    return new Date(Math.round(this.#clocks.wallMs() - agoMs)).toISOString();
  }
}
