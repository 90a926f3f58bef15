/**
 * The one shape in which packets leave a packet source and enter the segment log: frames, back to back. All
 * integers are little-endian, so that a native source writes them with plain stores.
 *
 * ```
 *  0        8        16       24       32
 * +---------------------------------------+
 * | arrival, ns of CLOCK_MONOTONIC        |  low 32 bits
 * |                                       |  high 32 bits
 * | length of body    | kind    | 0       |
 * | slot: which stream of its source      |
 * +---------------------------------------+
 * | body: packet, or source address       |
 * +---------------------------------------+
 * ```
 *
 * Kinds: 0 RTP, 1 RTCP; 2 and 3 tell where the RTP or RTCP that follows comes from, as port (16 bits) and 4 or 16
 * bytes of address. Each run of frames of one stream names its sources before their first packet, so that it can
 * be understood alone.
 */
import { isIPv4 } from 'node:net';

export const frameHeaderLength = 16;
export const frameKind = { rtp: 0, rtcp: 1, rtpSource: 2, rtcpSource: 3 } as const;
export type FrameKind = (typeof frameKind)[keyof typeof frameKind];

const two32 = 0x100000000;
const portLength = 2;

/** Writes a frame's header at `at`; the body goes behind it. `arrivalNs` is exact for 104 days of uptime, then to 2 ns. */
export const writeFrameHeader = (
  target: Buffer,
  at: number,
  frame: {
    readonly kind: FrameKind;
    readonly length: number;
    readonly arrivalNs: number;
    readonly slot: number;
  },
): void => {
  target.writeUInt32LE((frame.arrivalNs % two32) >>> 0, at);
  target.writeUInt32LE(Math.floor(frame.arrivalNs / two32), at + 4);
  target.writeUInt16LE(frame.length, at + 8);
  target.writeUInt16LE(frame.kind, at + 10);
  target.writeUInt32LE(frame.slot, at + 12);
};

/** The body of the frame at `at` has another length now. */
export const setFrameLength = (target: Buffer, at: number, length: number): void => {
  target.writeUInt16LE(length, at + 8);
};

/** Sees one frame; its body is `bytes[at .. at + length]`. */
export type FrameVisitor = (kind: FrameKind, arrivalNs: number, at: number, length: number) => void;

const u32 = (bytes: Uint8Array, at: number): number =>
  (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0;

/** Visits every whole frame, in order; returns how many bytes they fill. Stops at a kind it doesn't know. */
export const walkFrames = (bytes: Buffer, visit: FrameVisitor): number => {
  // Byte by byte: this runs for every packet, and the checks of Buffer's readers would be half of its cost.
  const end = bytes.length;
  let at = 0;
  while (end - at >= frameHeaderLength) {
    const length = bytes[at + 8]! | (bytes[at + 9]! << 8);
    const kind = bytes[at + 10]! | (bytes[at + 11]! << 8);
    const body = at + frameHeaderLength;
    if (kind > frameKind.rtcpSource || end - body < length) break;
    visit(kind as FrameKind, u32(bytes, at) + u32(bytes, at + 4) * two32, body, length);
    at = body + length;
  }

  return at;
};

const ipv6Groups = (text: string): string[] => (text === '' ? [] : text.split(':'));

const ipv6Bytes = (address: string): Buffer => {
  const [head = '', tail] = address.split('%')[0]!.split('::');
  const front = ipv6Groups(head);
  const back = ipv6Groups(tail ?? '');
  const zeros = Array.from({ length: Math.max(0, 8 - front.length - back.length) }, () => '0');
  const bytes = Buffer.alloc(16);
  [...front, ...zeros, ...back]
    .slice(0, 8)
    .forEach((group, i) => bytes.writeUInt16BE(Number.parseInt(group, 16) & 0xffff, i * 2));

  return bytes;
};

/** The body of a source frame. `address` is an IP address as dgram tells it. */
export const formatSource = (address: string, port: number): Buffer => {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1] ?? address;
  const host = isIPv4(mapped) ? Buffer.from(mapped.split('.').map(Number)) : ipv6Bytes(mapped);
  const body = Buffer.alloc(portLength + host.length);
  body.writeUInt16LE(port, 0);
  host.copy(body, portLength);

  return body;
};

/** Reads the body of a source frame; undefined where its length fits no address. */
export const parseSource = (
  body: Buffer,
): { readonly address: string; readonly port: number } | undefined => {
  if (body.length !== 6 && body.length !== 18) return undefined;
  const host = body.subarray(portLength);
  const address =
    host.length === 4
      ? host.join('.')
      : Array.from({ length: 8 }, (_, i) => host.readUInt16BE(i * 2).toString(16)).join(':');

  return { address, port: body.readUInt16LE(0) };
};
