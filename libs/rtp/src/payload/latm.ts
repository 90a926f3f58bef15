/**
 * MPEG-4 audio in LATM (RFC 6416 §6, RFC 3016 §4; ISO/IEC 14496-3 §1.7). Two shapes: with `cpresent=0` the stream's
 * configuration comes in the SDP and a payload is lengths and access units; otherwise (the default) it comes with the
 * media, and a payload is a whole AudioMuxElement, given to the decoder in a LOAS frame.
 */
import { BitReader } from './bits.ts';
import { formatParameters } from './frame.ts';
import type { Depacketise, Frame, MediaPacket } from './frame.ts';

export type LatmFormat =
  | { readonly kind: 'units'; readonly audioSpecificConfig: Uint8Array; readonly unitsPerElement: number }
  | { readonly kind: 'loas' };

/** A multiplexed element is 13 bits long in LOAS. */
const longestElement = 0x1fff;
const loasSync = 0x2b7;

/** Reads a StreamMuxConfig of version 0 with one program and one layer (14496-3 table 1.42). */
const readMuxConfig = (config: Uint8Array): LatmFormat | undefined => {
  const reader = new BitReader(config);
  const version = reader.read(1);
  const sameFraming = reader.read(1);
  const unitsPerElement = reader.read(6) + 1;
  const programs = reader.read(4) + 1;
  const layers = reader.read(3) + 1;
  if (version !== 0 || sameFraming !== 1 || programs !== 1 || layers !== 1) return undefined;
  const left = config.length * 8 - reader.position;
  if (left < 16) return undefined;

  // What follows the AudioSpecificConfig is of no interest, and harmless: the decoder reads what it needs.
  return { kind: 'units', audioSpecificConfig: reader.bytes(left), unitsPerElement };
};

/** How `fmtp` says that the stream is laid out; undefined for layouts that nobody sends. */
export const latmFormat = (fmtp: string | undefined): LatmFormat | undefined => {
  const parameters = formatParameters(fmtp);
  if (parameters.get('cpresent') !== '0') return { kind: 'loas' };
  const config = parameters.get('config') ?? '';
  if (!/^([0-9a-f]{2}){2,256}$/i.test(config)) return undefined;

  return readMuxConfig(Uint8Array.from(config.match(/../g) ?? [], (hex) => Number.parseInt(hex, 16)));
};

/** PayloadLengthInfo: bytes of 255 as long as there is more. Undefined where the element ends before its units do. */
const unitsOf = (element: Uint8Array, most: number): readonly Uint8Array[] | undefined => {
  const units: Uint8Array[] = [];
  for (let at = 0; at < element.length && units.length < most;) {
    let length = 0;
    let byte: number | undefined;
    do {
      byte = element[at++];
      if (byte === undefined) return undefined;
      length += byte;
    } while (byte === 255);
    if (at + length > element.length) return undefined;
    units.push(element.subarray(at, at + length));
    at += length;
  }

  return units;
};

const inLoas = (element: Uint8Array): Uint8Array => {
  const frame = new Uint8Array(3 + element.length);
  frame[0] = loasSync >> 3;
  frame[1] = ((loasSync & 7) << 5) | (element.length >> 8);
  frame[2] = element.length & 0xff;
  frame.set(element, 3);

  return frame;
};

/** Joins the fragments of an element: all of one timestamp, the last with the marker (RFC 6416 §6.3). */
const joiner = (): ((packet: MediaPacket) => Uint8Array | undefined) => {
  let parts: Uint8Array[] = [];
  let length = 0;
  let timestamp: number | undefined;
  let isWhole = true;

  return (packet) => {
    if (packet.timestamp !== timestamp) {
      parts = [];
      length = 0;
      isWhole = true;
    } else if (!packet.follows) isWhole = false;
    timestamp = packet.timestamp;
    length += packet.payload.length;
    if (length <= longestElement) parts.push(packet.payload.slice());
    if (!packet.marker) return undefined;
    const element = isWhole && length <= longestElement ? parts : [];
    parts = [];
    length = 0;
    if (element.length === 1) return element[0];

    return element.length === 0 ? undefined : new Uint8Array(Buffer.concat(element));
  };
};

/** `unitTicks`: length of an access unit on the RTP clock, for elements of several. */
export const latmFrames = (format: LatmFormat, unitTicks: number): Depacketise => {
  const join = joiner();

  return (packet) => {
    const element = join(packet);
    if (!element) return packet.marker ? undefined : [];
    if (format.kind === 'loas') return [{ bytes: inLoas(element), timestamp: packet.timestamp }];
    const units = unitsOf(element, format.unitsPerElement);

    return units?.map((bytes, n): Frame => ({ bytes, timestamp: packet.timestamp + n * unitTicks }));
  };
};
