import type { ControllerType, DialogInfo } from '@reelstream/events';
import { answerOffer, makeOffer } from '@reelstream/sip';
import type { SrtpKeys } from '@reelstream/rtp';
import type {
  BibLegInfo,
  Codec,
  Dialog,
  MediaLine,
  Metadata,
  RequestInfo,
  Sdp,
  SdpAnswer,
} from '@reelstream/sip';
import { offeredAudio, offeredVideo } from './core/offered-codecs.ts';
import type { LegEncryption } from './leg-encryption.ts';
import type { NegotiatedCodecs } from './core/sealing.ts';
import { manifestCodec, playableCodecs } from './core/tracks.ts';
import type { LiveSession } from './live-session.ts';
import { agreedIn } from './media-terms.ts';
import type { MediaTerms } from './media-terms.ts';
import type { AgreedTrack } from './media/types.ts';

/** One m-line that is recorded. */
export type RecordedLine = {
  readonly index: number;
  readonly kind: 'audio' | 'video';
  readonly label: string | undefined;
  readonly trackNumber: number;
  /** The track that this line was until it became this one. */
  readonly follows?: number;
  readonly port: number;
  readonly codecs: readonly Codec[];
  /** What the peer's last description of the line agreed to, beside codecs. */
  readonly terms?: MediaTerms;
  /** The peer sends on it: not on hold, and not taken away. */
  readonly isActive: boolean;
  /** The peer has taken it away (port 0); it may come back. */
  readonly isRemoved: boolean;
};

/** Of a line that has no socket because nothing is sent on it (RFC 863). */
const discardPort = 9;

/** RFC 3264 §8.4; and as RFC 2543 held a call, by an address of zeros. */
const isSending = (line: MediaLine | undefined): boolean =>
  line !== undefined &&
  line.port > 0 &&
  (line.direction === 'sendonly' || line.direction === 'sendrecv') &&
  line.address !== '0.0.0.0';

/** One dialog of a session, and what was agreed in it. */
export class Leg {
  readonly type: ControllerType;
  readonly info: DialogInfo;
  /** Whether its video is left out, now and in later offers. */
  readonly audioOnly: boolean;
  /** Header of our responses: where the peer reaches us. */
  readonly contact: string;
  readonly encryption: LegEncryption;
  dialog: Dialog | undefined;
  metadata: Metadata | undefined;
  /** What it is recorded in just now; undefined while a recording session has no communication session. */
  session: LiveSession | undefined;
  /** The communication sessions that session has (RFC 7865), where they are named. */
  recorded: ReadonlySet<string> = new Set();
  /** How its peer may be asked for a snapshot of its metadata; undefined: not at all. And how often it was. */
  snapshotWay: 'UPDATE' | 'INVITE' | undefined;
  snapshots = 0;
  /** Of a built-in bridge: what the leg said when it came, and says now. */
  bib: { readonly opened: BibLegInfo; readonly now: BibLegInfo } | undefined;
  /** Of the INVITE, and of each request since that brought a change: milliseconds of `performance.now()`. */
  heardMs = performance.now();
  readonly #address: string;
  readonly #sdpSessionId = String(Date.now());
  #sdpVersion = 0;
  #turn: Promise<void> = Promise.resolve();
  #lines: readonly (RecordedLine | undefined)[] = [];

  constructor(options: {
    readonly type: ControllerType;
    readonly request: RequestInfo;
    readonly audioOnly: boolean;
    /** Our address as the peer knows it. */
    readonly address: string;
    readonly contact: string;
    readonly encryption: LegEncryption;
  }) {
    const { source, callId, from, to } = options.request;
    this.type = options.type;
    this.audioOnly = options.audioOnly;
    this.contact = options.contact;
    this.encryption = options.encryption;
    this.#address = options.address;
    this.info = {
      callId,
      fromUri: from.uri,
      toUri: to.uri,
      transport: source.transport,
      remoteAddress: `${source.address}:${source.port}`,
    };
  }

  /** The m-lines that are recorded. */
  get lines(): readonly RecordedLine[] {
    return this.#lines.filter((line) => line !== undefined);
  }

  lineAt(index: number): RecordedLine | undefined {
    return this.#lines[index];
  }

  /** Every codec agreed on, by track. */
  get negotiated(): NegotiatedCodecs {
    return Object.fromEntries(
      this.lines.map(({ trackNumber, codecs }) => [trackNumber, codecs.map(manifestCodec)]),
    );
  }

  /** Keys agreed on or awaited, by track; undefined where it is plain RTP. */
  get keys(): Readonly<Record<number, SrtpKeys | 'awaited' | undefined>> {
    return Object.fromEntries(
      this.lines.map(({ trackNumber, index }) => [trackNumber, this.encryption.keysAt(index)]),
    );
  }

  /** What was agreed on, by track. */
  get agreed(): readonly AgreedTrack[] {
    return this.lines.map(({ trackNumber, codecs, terms }) => ({
      trackNumber,
      codecs: codecs.map(manifestCodec),
      terms,
    }));
  }

  /** Records an m-line from now on. */
  add(line: Omit<RecordedLine, 'codecs' | 'isActive' | 'isRemoved'>): void {
    this.#set({ ...line, codecs: [], isActive: true, isRemoved: false });
  }

  /** The lines of the next session of this dialog, in place of those of the last; no lines: nothing is recorded. */
  restart(lines: readonly RecordedLine[]): void {
    this.#lines = this.#lines.map(() => undefined);
    for (const { follows: _inTheLast, ...line } of lines) this.#set(line);
  }

  /** What is asked within the dialog is done one after the other. */
  inTurn(action: () => Promise<void>): Promise<void> {
    this.#turn = this.#turn.then(action, action);

    return this.#turn;
  }

  /** Our answer, mirroring the offer; lines that were not added are refused, or, in a dialog that waits, left inactive. */
  answer(offer: Sdp, { waits = false }: { readonly waits?: boolean } = {}): SdpAnswer {
    const ports = offer.media.map(
      ({ index, direction }) =>
        this.#lines[index]?.port ?? (waits && direction === 'inactive' ? discardPort : undefined),
    );
    const answer = answerOffer(offer, {
      ...this.#describer(),
      ports,
      playable: playableCodecs,
      secured: this.encryption.answer(offer),
    });
    for (const { index, refusal, codecs, label } of answer.media) {
      const line = this.#lines[index];
      const peer = offer.media[index];
      if (!line || !peer) continue;
      if (refusal) this.#set({ ...line, isActive: false, isRemoved: true });
      else {
        const agreed = { codecs, terms: agreedIn(peer, codecs), isActive: isSending(peer) };
        this.#set({ ...line, ...agreed, label: label ?? line.label, isRemoved: false });
      }
    }
    this.#lines = offer.media.map(({ index }) => this.#lines[index]);

    return answer;
  }

  /** Our offer where the peer sent none: every line as it stands, or all we can take. */
  offer(): string {
    const media = this.#lines.map((line, index) => ({
      ...this.encryption.offer(index),
      kind: line?.kind ?? ('audio' as const),
      port: line?.port ?? 0,
      codecs:
        line && line.codecs.length > 0 ? line.codecs : line?.kind === 'video' ? offeredVideo : offeredAudio,
      rtcpMux: line?.terms?.rtcpMux ?? false,
      ...(line?.label === undefined ? {} : { label: line.label }),
    }));

    return makeOffer(this.#describer(), media);
  }

  /** The peer's answer to our offer: what it left of the codecs, and whether it sends. */
  answered(answer: Sdp): void {
    this.encryption.answered(answer);
    for (const peer of answer.media) {
      const line = this.#lines[peer.index];
      const { codecs } = peer;
      if (!line) continue;
      const agreed = codecs.length > 0 ? { codecs, terms: agreedIn(peer, codecs) } : {};
      this.#set({ ...line, ...agreed, isActive: isSending(peer), isRemoved: peer.port === 0 });
    }
  }

  /** Lines that the peer's answer has refused: nothing comes on them. */
  drop(indexes: readonly number[]): void {
    this.#lines = this.#lines.map((line) => (line && indexes.includes(line.index) ? undefined : line));
  }

  #set(line: RecordedLine): void {
    const lines = [...this.#lines];
    lines[line.index] = line;
    this.#lines = Array.from(lines);
  }

  #describer(): { readonly address: string; readonly sessionId: string; readonly version: number } {
    this.#sdpVersion += 1;

    return { address: this.#address, sessionId: this.#sdpSessionId, version: this.#sdpVersion };
  }
}
