/**
 * H.264 (RFC 6184), packetization modes 0 and 1: single NAL units (§5.6), STAP-A (§5.7.1), FU-A (§5.8).
 *
 * ```
 * F(1) NRI(2) type(5)              type 1–23: the NAL unit itself
 * 24: then length(16) NAL unit, …  STAP-A
 * 28: then S(1) E(1) R(1) type(5), a piece of the unit   FU-A
 * ```
 */
import type { MediaPacket } from './frame.ts';
import type { VideoFrame } from './video-frame.ts';

const stapA = 24;
const fuA = 28;
const idr = 5;
const sps = 7;
const startCode = Uint8Array.of(0, 0, 0, 1);
/** Past this a picture is no picture of a call. */
const largestPicture = 4 * 1024 * 1024;

/** Puts access units together: NAL units of one timestamp, each behind a start code (Annex B). */
export class H264Assembler {
  #timestamp = Number.NaN;
  #parts: Uint8Array[] = [];
  #length = 0;
  #key = false;
  #whole = true;
  /** Inside a fragmented unit whose start came. */
  #inUnit = false;

  /** The pictures that this packet completes, in order; what lost a piece is not whole. */
  take(packet: MediaPacket): readonly VideoFrame[] {
    const done: VideoFrame[] = [];
    if (packet.timestamp !== this.#timestamp) {
      // The marker of the picture before may be lost, or never set.
      this.#finish(done);
      // What is lost in between may have been its beginning: a fragment without a start tells.
      this.#timestamp = packet.timestamp;
    } else if (!packet.follows) {
      this.#whole = false;
      this.#inUnit = false;
    }
    this.#read(packet.payload);
    if (packet.marker) this.#finish(done);

    return done;
  }

  #read(payload: Uint8Array): void {
    const type = (payload[0] ?? 0) & 0x1f;
    if (payload.length < 2 || type === 0 || type > fuA) this.#whole = false;
    else if (type < stapA) this.#unit(payload);
    else if (type === stapA) this.#aggregate(payload);
    else if (type === fuA) this.#fragment(payload);
    else this.#whole = false;
  }

  #aggregate(payload: Uint8Array): void {
    for (let at = 1; at < payload.length;) {
      const length = (payload[at] ?? 0) * 256 + (payload[at + 1] ?? 0);
      const end = at + 2 + length;
      if (length === 0 || end > payload.length) {
        this.#whole = false;

        return;
      }
      this.#unit(payload.subarray(at + 2, end));
      at = end;
    }
  }

  #fragment(payload: Uint8Array): void {
    const flags = payload[1] ?? 0;
    const type = flags & 0x1f;
    if (flags & 0x80) {
      this.#inUnit = true;
      this.#unit(Uint8Array.of((payload[0]! & 0xe0) | type));
    }
    if (this.#inUnit) this.#add(payload.subarray(2));
    else this.#whole = false;
    if (flags & 0x40) this.#inUnit = false;
  }

  #unit(unit: Uint8Array): void {
    const type = (unit[0] ?? 0) & 0x1f;
    if (type === idr || type === sps) this.#key = true;
    this.#add(startCode);
    this.#add(unit);
  }

  #add(bytes: Uint8Array): void {
    this.#length += bytes.length;
    if (this.#length <= largestPicture) this.#parts.push(bytes.slice());
    else this.#whole = false;
  }

  #finish(done: VideoFrame[]): void {
    if (this.#length > 0) {
      const whole = this.#whole && !this.#inUnit;
      const bytes = new Uint8Array(Buffer.concat(this.#parts));
      done.push({ bytes, timestamp: this.#timestamp, key: this.#key, whole });
    }
    this.#parts = [];
    this.#length = 0;
    this.#key = false;
    this.#whole = true;
    this.#inUnit = false;
  }
}
