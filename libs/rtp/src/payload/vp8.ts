/**
 * VP8 (RFC 7741 §4.2): a descriptor, then a piece of the frame.
 *
 * ```
 * X(1) R(1) N(1) S(1) R(1) PID(3)      S with PID 0: the frame begins here
 * if X:  I(1) L(1) T(1) K(1) RSV(4)
 * if I:  M(1) picture id(7 or, with M, 15)      if L: TL0PICIDX(8)      if T or K: TID(2) Y(1) KEYIDX(5)
 * ```
 */
import type { MediaPacket } from './frame.ts';
import type { VideoFrame } from './video-frame.ts';

const largestPicture = 4 * 1024 * 1024;

type Piece = { readonly starts: boolean; readonly bytes: Uint8Array };

const readPiece = (payload: Uint8Array): Piece | undefined => {
  const first = payload[0] ?? 0;
  let at = 1;
  if (first & 0x80) {
    const more = payload[at++] ?? 0;
    if (more & 0x80) at += (payload[at] ?? 0) & 0x80 ? 2 : 1;
    if (more & 0x40) at += 1;
    if (more & 0x30) at += 1;
  }

  return at >= payload.length ? undefined : { starts: (first & 0x17) === 0x10, bytes: payload.subarray(at) };
};

/** Puts frames together: the packets of one timestamp. */
export class Vp8Assembler {
  #timestamp = Number.NaN;
  #parts: Uint8Array[] = [];
  #length = 0;
  #whole = true;

  /** The frames that this packet completes, in order; what lost a piece is not whole. */
  take(packet: MediaPacket): readonly VideoFrame[] {
    const done: VideoFrame[] = [];
    if (packet.timestamp !== this.#timestamp) this.#finish(done);
    else if (!packet.follows) this.#whole = false;
    this.#timestamp = packet.timestamp;
    const piece = readPiece(packet.payload);
    if (!piece || piece.starts !== (this.#length === 0)) this.#whole = false;
    if (piece) this.#add(piece.bytes);
    if (packet.marker) this.#finish(done);

    return done;
  }

  #add(bytes: Uint8Array): void {
    this.#length += bytes.length;
    if (this.#length <= largestPicture) this.#parts.push(bytes.slice());
    else this.#whole = false;
  }

  #finish(done: VideoFrame[]): void {
    if (this.#length > 0) {
      const bytes = new Uint8Array(Buffer.concat(this.#parts));
      // RFC 6386 §9.1: the first bit of a frame is 0 for a key frame.
      const key = this.#whole && ((bytes[0] ?? 1) & 1) === 0;
      done.push({ bytes, timestamp: this.#timestamp, key, whole: this.#whole });
    }
    this.#parts = [];
    this.#length = 0;
    this.#whole = true;
  }
}
