/**
 * The fixed RTP header (RFC 3550 §5.1), read by hand because this runs for every packet.
 *
 * ```
 *  0                   1                   2                   3
 *  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 * +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 * |V=2|P|X|  CC   |M|     PT      |       sequence number         |
 * +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 * |                           timestamp                           |
 * +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 * |           synchronization source (SSRC) identifier            |
 * +=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+
 * |            contributing source (CSRC) identifiers             |
 * ```
 */
export type RtpHeader = {
  readonly marker: boolean;
  readonly payloadType: number;
  readonly sequenceNumber: number;
  readonly timestamp: number;
  readonly ssrc: number;
  /** The payload lies in `packet.subarray(payloadOffset, payloadEnd)`: behind CSRCs and extension, before padding. */
  readonly payloadOffset: number;
  readonly payloadEnd: number;
};

export const rtpHeaderLength = 12;
const shortestRtcp = 4;
const extensionHeaderLength = 4;

/** What a datagram on a media port is. RTP and RTCP may share a port: the packet type tells (RFC 5761 §4). */
export const kindOfPacket = (packet: Uint8Array): 'rtp' | 'rtcp' | undefined => {
  if (packet.length < shortestRtcp || packet[0]! >> 6 !== 2) return undefined;
  if (packet[1]! >= 192 && packet[1]! <= 223) return 'rtcp';

  return packet.length >= rtpHeaderLength ? 'rtp' : undefined;
};

const shortestDtls = 13;

/** Whether it is a DTLS record (RFC 7983 §7). */
export const isDtls = (datagram: Uint8Array): boolean =>
  datagram.length >= shortestDtls && datagram[0]! >= 20 && datagram[0]! <= 63;

const u16 = (bytes: Uint8Array, at: number): number => (bytes[at]! << 8) | bytes[at + 1]!;
const u32 = (bytes: Uint8Array, at: number): number => u16(bytes, at) * 0x10000 + u16(bytes, at + 2);

export const sequenceNumberAt = (bytes: Uint8Array, at: number): number => u16(bytes, at + 2);
export const timestampAt = (bytes: Uint8Array, at: number): number => u32(bytes, at + 4);
export const ssrcAt = (bytes: Uint8Array, at: number): number => u32(bytes, at + 8);
export const payloadTypeAt = (bytes: Uint8Array, at: number): number => bytes[at + 1]! & 0x7f;

/** Where the payload begins, or undefined where CSRCs or extension would reach past the packet. */
export const payloadStart = (packet: Uint8Array): number | undefined => {
  let at = rtpHeaderLength + 4 * (packet[0]! & 0x0f);
  if (packet[0]! & 0x10) {
    if (packet.length < at + extensionHeaderLength) return undefined;
    at += extensionHeaderLength + 4 * u16(packet, at + 2);
  }

  return at <= packet.length ? at : undefined;
};

/** The header of an RTP packet, or undefined where the bytes are none: too short, other version, RTCP, lengths that lie. */
export const readRtpHeader = (packet: Uint8Array): RtpHeader | undefined => {
  if (kindOfPacket(packet) !== 'rtp') return undefined;
  const payloadOffset = payloadStart(packet);
  if (payloadOffset === undefined) return undefined;
  const padding = packet[0]! & 0x20 ? packet[packet.length - 1]! : 0;
  const payloadEnd = packet.length - padding;
  if (payloadEnd < payloadOffset || (packet[0]! & 0x20 && padding === 0)) return undefined;

  return {
    marker: (packet[1]! & 0x80) !== 0,
    payloadType: payloadTypeAt(packet, 0),
    sequenceNumber: sequenceNumberAt(packet, 0),
    timestamp: timestampAt(packet, 0),
    ssrc: ssrcAt(packet, 0),
    payloadOffset,
    payloadEnd,
  };
};
