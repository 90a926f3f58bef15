import { readRtpHeader } from './header.ts';
import { isKeyFrame, knowsKeyFrames } from './key-frames.ts';
import { formatFir, formatPli } from './rtcp-writer.ts';

export type PictureTerms = {
  /** What the peer agreed to: PLI (RFC 4585), FIR (RFC 5104); both, then PLI is used. */
  readonly pli: boolean;
  readonly fir: boolean;
  /** Encoding names by payload type. */
  readonly codecs: ReadonlyMap<number, string>;
};

const firstPauseNs = 1e9;
/** A sender that makes no key frame is asked ever less often. */
const longestPauseNs = 16e9;

/** When a sender of video is asked for a picture that stands alone: at the start, and after a loss, until one comes. */
export class PictureRequests {
  #terms: PictureTerms = { pli: false, fir: false, codecs: new Map() };
  #wanted = false;
  #askedNs = -Infinity;
  #pauseNs = firstPauseNs;
  #firSequence = 0;
  /** Asked of `#media`, and not answered by a key frame yet. */
  #asked = false;
  /** Requests that went out. */
  sent = 0;

  set terms(terms: PictureTerms) {
    this.#terms = terms;
  }

  /** True while packets have to be looked at. */
  get isWanted(): boolean {
    return this.#wanted;
  }

  want(): void {
    if (!this.#wanted) this.#pauseNs = firstPauseNs;
    this.#wanted = this.#terms.pli || this.#terms.fir;
  }

  /** Looks whether an RTP packet begins the picture that is wanted. */
  look(packet: Buffer): void {
    const header = readRtpHeader(packet);
    const codec = header && this.#terms.codecs.get(header.payloadType);
    if (!header || codec === undefined) return;
    if (isKeyFrame(codec, packet, header.payloadOffset, header.payloadEnd))
      this.#wanted = this.#asked = false;
    // Of other codecs nobody can tell: one request must do.
    else if (!knowsKeyFrames(codec) && this.#asked) this.#wanted = this.#asked = false;
  }

  /** The request that is due, from `ssrc` to `media`; at most one a second. */
  due(nowNs: number, ssrc: number, media: number): Buffer | undefined {
    if (!this.#wanted || nowNs - this.#askedNs < this.#pauseNs) return undefined;
    if (this.#asked) this.#pauseNs = Math.min(longestPauseNs, 2 * this.#pauseNs);
    // RFC 5104 §4.3.1.1: a repeated request has the number of the first.
    else this.#firSequence++;
    this.#askedNs = nowNs;
    this.#asked = true;
    this.sent++;

    return this.#terms.pli ? formatPli(ssrc, media) : formatFir(ssrc, media, this.#firSequence);
  }
}
