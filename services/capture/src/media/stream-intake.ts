import { isIP } from 'node:net';
import {
  clockRatesOf,
  ControlStatistics,
  FrameEditor,
  frameKind,
  PictureRequests,
  RtcpReporter,
  SourceLatch,
  StreamStatistics,
} from '@reelstream/rtp';
import type { FrameEdit, PacedStreams, SourcePolicy } from '@reelstream/rtp';
import { outgoingTo } from './outgoing.ts';
import type { Outgoing } from './outgoing.ts';
import type { AgreedTrack } from './types.ts';

export type IntakeOptions = {
  /** The thread's, and which row of it is the stream's. */
  readonly paced: PacedStreams;
  readonly slot: number;
  readonly mediaType: 'audio' | 'video';
  readonly policy: SourcePolicy;
  /** Name of this receiver in RTCP, the same for all streams of a session. */
  readonly cname: string;
  /** A number from 0 to 1, evenly distributed. */
  readonly random: () => number;
};

const editor = new FrameEditor();
const defaultKbps = { audio: 64, video: 2_000 } as const;

/** What happens to the plain packets of one stream: whose they are, what they count for, what their sender is told. */
export class StreamIntake {
  /** Takes what merely goes on; the others learn of it by #flush. */
  readonly #paced: PacedStreams;
  readonly #slot: number;
  /** Another has the slot. */
  #gone = false;
  readonly #statistics: StreamStatistics;
  readonly control = new ControlStatistics();
  readonly latch: SourceLatch;
  readonly reporter: RtcpReporter;
  readonly pictures = new PictureRequests();
  /** Packets that came while nothing was to be kept, and their bytes. */
  readonly unwanted = { packets: 0, bytes: 0 };
  /** Packets of the run that was taken last. */
  taken = 0;
  readonly #mediaType: 'audio' | 'video';
  readonly #options: IntakeOptions;
  #agreed: AgreedTrack | undefined;
  #codecs: ReadonlyMap<number, string> = new Map();
  #run: Buffer = Buffer.alloc(0);
  #paused = false;
  #skips = 0;
  #ssrc: number | undefined;

  constructor(clockRates: ReadonlyMap<number, number>, options: IntakeOptions) {
    this.#mediaType = options.mediaType;
    this.#options = options;
    this.#paced = options.paced;
    this.#slot = options.slot;
    this.#paced.clear(this.#slot);
    this.#statistics = new StreamStatistics(clockRates, options.mediaType);
    this.latch = new SourceLatch(options.policy);
    this.reporter = new RtcpReporter(this.#statistics, this.control, options);
    this.reporter.terms = { mediaKbps: defaultKbps[options.mediaType] };
  }

  get statistics(): StreamStatistics {
    this.#flush();

    return this.#statistics;
  }

  get agreedCodecs(): AgreedTrack['codecs'] {
    return this.#agreed?.codecs ?? [];
  }

  /** Encoding names by payload type. */
  get codecs(): ReadonlyMap<number, string> {
    return this.#codecs;
  }

  /** That of the next session on the same sockets: what was agreed goes on, what was counted does not. */
  next(cname: string): StreamIntake {
    this.#flush();
    this.#gone = true;
    const next = new StreamIntake(this.statistics.clockRates, { ...this.#options, cname });
    if (this.#agreed) next.agree(this.#agreed);

    return next;
  }

  /** What signalling has agreed on, from now on. */
  agree(agreed: AgreedTrack): void {
    this.#leavePace();
    this.#agreed = agreed;
    const { codecs, terms } = agreed;
    this.#codecs = new Map(codecs.map(({ payloadType, codec }) => [payloadType, codec]));
    this.#statistics.clockRates = clockRatesOf(codecs);
    if (!terms) return;
    const { remote, pli, fir, bandwidth } = terms;
    if (remote && isIP(remote.address))
      this.latch.describe({ address: remote.address, port: remote.rtpPort });
    const mediaKbps = bandwidth.kbps ?? defaultKbps[this.#mediaType];
    this.reporter.terms = { mediaKbps, receiversBps: bandwidth.receiverReportBps };
    this.pictures.terms = { pli, fir, codecs: this.#codecs };
  }

  /** Whether `PacedStreams.takeOpen` may take what comes before it gets here. */
  setOpen(open: boolean): void {
    if (!this.#gone) this.#paced.setOpen(this.#slot, open);
  }

  /** Takes a run of frames if it merely goes on: then all of it is to be kept, and there is nothing else to say of it. */
  takePaced(run: Buffer): boolean {
    if (!this.#paced.take(this.#slot, run, 0, run.length)) return false;
    this.taken = this.#paced.taken;

    return true;
  }

  /** Takes a run of frames and returns what of it is to be kept; nothing while `paused`. */
  take(run: Buffer, paused: boolean): Buffer {
    this.#leavePace();
    this.#run = run;
    this.#paused = paused;
    this.taken = 0;
    const kept = editor.edit(run, this.#edit, this.#onSource);
    if (this.#mediaType === 'video') this.#wantPictures();
    if (!paused && !this.pictures.isWanted) this.#setPace();

    return kept;
  }

  /** Before this there will be nothing to say, unless something other than paced packets comes. */
  get nextDueNs(): number {
    return this.pictures.isWanted ? 0 : (this.reporter.nextNs ?? 0);
  }

  /** What is to be said to the sender now, if anything. */
  due(nowNs: number): Outgoing | undefined {
    const media = this.statistics.current?.statistics.ssrc;
    const picture = media === undefined ? undefined : this.pictures.due(nowNs, this.reporter.ssrc, media);

    return this.#outgoing(this.reporter.due(nowNs, picture));
  }

  /** What is to be said to it at the end. */
  farewell(nowNs: number): Outgoing | undefined {
    this.#flush();

    return this.#outgoing(this.reporter.bye(nowNs));
  }

  #flush(): void {
    const paced = this.#gone ? undefined : this.#paced.flush(this.#slot);
    if (!paced) return;
    this.#statistics.takePaced(paced);
    this.latch.takeFollowing(paced.sequenceNumber, paced.arrivalNs);
  }

  #leavePace(): void {
    this.#flush();
    this.#paced.end(this.#slot);
  }

  #setPace(): void {
    const source = this.latch.latchedSource;
    const pace = source && this.#statistics.pace;
    if (pace) this.#paced.begin(this.#slot, pace, source);
  }

  #outgoing(packet: Buffer | undefined): Outgoing | undefined {
    return packet && outgoingTo(packet, this.latch, this.#agreed?.terms);
  }

  readonly #onSource = (kind: number, at: number, length: number): void => {
    if (kind === frameKind.rtpSource) this.latch.seeRtpSource(this.#run, at, length);
    else this.latch.seeRtcpSource(this.#run, at, length);
  };

  readonly #edit: FrameEdit = (kind, arrivalNs, at, length) => {
    if (kind === frameKind.rtcp) {
      if (!this.latch.takeRtcp()) return -1;
      this.control.take(this.#run, at, length, arrivalNs);
      if (this.#paused) return -1;
      this.#statistics.takeRtcp();
    } else {
      if (!this.latch.takeRtp(this.#run, at, arrivalNs)) return -1;
      this.#statistics.takeRtp(this.#run, at, length, arrivalNs);
      if (this.pictures.isWanted) this.pictures.look(this.#run.subarray(at, at + length));
      if (this.#paused) {
        this.unwanted.packets++;
        this.unwanted.bytes += length;

        return -1;
      }
    }
    this.taken++;

    return length;
  };

  /** At the start of a sender's stream, and where packets of it are missing. */
  #wantPictures(): void {
    const current = this.#statistics.current?.statistics;
    if (!current) return;
    if (current.ssrc !== this.#ssrc || current.skips > this.#skips) this.pictures.want();
    this.#ssrc = current.ssrc;
    this.#skips = current.skips;
  }
}
