import type { ControllerType, DialogInfo } from '@reelstream/events';
import { answerOffer, makeOffer } from '@reelstream/sip';
import type { Dialog, KnownDialog, MediaLine, Metadata, Sdp, SdpAnswer } from '@reelstream/sip';
import { offeredAudio, offeredVideo } from './core/offered-codecs.ts';
import { LegEncryption } from './leg-encryption.ts';
import type { BibSaid, LegState, RecordedLine } from './leg-state.ts';
import type { NegotiatedCodecs } from './core/sealing.ts';
import { manifestCodec, playableCodecs } from './core/tracks.ts';
import type { LiveSession } from './live-session.ts';
import { agreedIn } from './media-terms.ts';
import type { AgreedTrack, SecuredTrack } from './media/types.ts';

/** Of a line that has no socket because nothing is sent on it (RFC 863). */
const discardPort = 9;

/** RFC 3264 §8.4; and as RFC 2543 held a call, by an address of zeros. */
const isSending = (line: MediaLine | undefined): boolean =>
  line !== undefined &&
  line.port > 0 &&
  (line.direction === 'sendonly' || line.direction === 'sendrecv') &&
  line.address !== '0.0.0.0';

/** Names a dialog by its Call-ID and the tag of the side that opened it. */
export const dialogKey = (callId: string, openerTag: string): string => `${callId};from-tag=${openerTag}`;

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
  recorded: ReadonlySet<string>;
  /** How its peer may be asked for a snapshot of its metadata; undefined: not at all. And how often it was. */
  readonly snapshotWay: 'UPDATE' | 'INVITE' | undefined;
  snapshots: number;
  /** Of a built-in bridge. */
  bib: BibSaid | undefined;
  /** Of the INVITE, and of each request since that brought a change: milliseconds of `performance.now()`. */
  heardMs = performance.now();
  /** What never changes, and what was so when it began, or when this life of the node took it over. */
  readonly #begun: LegState;
  #sdpVersion: number;
  #turn: Promise<void> = Promise.resolve();
  #lines: readonly (RecordedLine | undefined)[];

  #refreshed: { readonly atMs: number; readonly timer: LegState['timer'] } | undefined;

  /** A new one, or one of an earlier life of the node. */
  constructor(state: LegState) {
    this.#begun = state;
    this.type = state.type;
    this.info = state.info;
    this.audioOnly = state.audioOnly;
    this.contact = state.contact;
    this.encryption = new LegEncryption(state.encryption);
    this.metadata = state.metadata;
    this.recorded = new Set(state.recorded);
    this.snapshotWay = state.snapshotWay;
    this.snapshots = state.snapshots;
    this.bib = state.bib;
    this.#sdpVersion = state.sdp.version;
    this.#lines = state.lines.map((line) => line ?? undefined);
  }

  /** As it is now. */
  get state(): LegState {
    const { dialog, encryption, metadata, recorded, snapshots, bib } = this;

    return {
      ...this.#begun,
      localTag: dialog?.localTag ?? this.#begun.localTag,
      remoteTarget: dialog?.remoteTarget ?? this.#begun.remoteTarget,
      sdp: { ...this.#begun.sdp, version: this.#sdpVersion },
      lines: Array.from(this.#lines, (line) => line ?? null),
      encryption: encryption.state,
      metadata,
      recorded: [...recorded],
      snapshots,
      bib,
      timer: this.#timer,
    };
  }

  /** Told by the wall clock once for each refresh, so that a state that hasn't changed looks the same. */
  get #timer(): LegState['timer'] {
    if (!this.dialog) return this.#begun.timer;
    const { timer, refreshedMs } = this.dialog;
    if (this.#refreshed?.atMs !== refreshedMs) {
      const refreshedAtMs = Math.round(Date.now() - (performance.now() - refreshedMs));
      this.#refreshed = { atMs: refreshedMs, timer: timer && { ...timer, refreshedAtMs } };
    }

    return this.#refreshed.timer;
  }

  /** Names it among all dialogs. */
  get id(): string {
    return dialogKey(this.info.callId, this.#begun.opener.tag);
  }

  /** The dialog by the names that the SIP server knows it by. */
  get known(): KnownDialog {
    const { opener, localTag = '', remoteTarget, timer } = this.state;
    const tags = opener.isUs ? { localTag: opener.tag, remoteTag: '' } : { localTag, remoteTag: opener.tag };
    const refreshedMs = timer && performance.now() - (Date.now() - timer.refreshedAtMs);

    return { callId: this.info.callId, ...tags, remoteTarget, isOurs: opener.isUs, timer, refreshedMs };
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

  /** By which keys and handshakes its tracks are decrypted from now on. */
  get secured(): readonly SecuredTrack[] {
    return this.lines.map(({ trackNumber, index }) => {
      const [keys, handshakes] = [this.encryption.keysAt(index), this.encryption.handshakesAt(index)];

      return { trackNumber, ...(keys && { keys }), ...(handshakes && { handshakes }) };
    });
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

    const { address, sdp } = this.#begun;

    return { address, sessionId: sdp.sessionId, version: this.#sdpVersion };
  }
}
