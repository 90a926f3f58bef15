/**
 * RTCP as it comes (RFC 3550 §6.1): packets back to back in one datagram, each with its length. Read by hand where it lies;
 * a packet that reaches past its datagram ends the reading, and nothing throws.
 *
 * ```
 *  0                   1                   2                   3
 *  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 * +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 * |V=2|P| RC/SC   |  packet type  |  length in words, less one    |
 * +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 * |                      SSRC of the sender                       |
 * +=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+
 * |             NTP timestamp, seconds since 1900                 |  sender report (200)
 * |             NTP timestamp, 1/2^32 s                           |
 * |             RTP timestamp of that instant                     |
 * ```
 */
import { rtcpType } from './rtcp-types.ts';

const headerLength = 4;
const shortestSenderReport = 28;

export type RtcpVisitor = {
  /** A sender report at `at`: see the functions below. */
  readonly senderReport: (ssrc: number, at: number) => void;
  readonly bye: (ssrc: number) => void;
  /** CNAME of a source description (§6.5.1). Default: descriptions are passed over. */
  readonly name?: (ssrc: number, name: string) => void;
};

const cnameItem = 1;
const text = new TextDecoder();

const u16 = (bytes: Uint8Array, at: number): number => (bytes[at]! << 8) | bytes[at + 1]!;
const u32 = (bytes: Uint8Array, at: number): number => u16(bytes, at) * 0x10000 + u16(bytes, at + 2);

/** CNAMEs of the chunks in `bytes[from .. end]`. */
const visitNames = (
  bytes: Uint8Array,
  from: number,
  end: number,
  visit: (ssrc: number, name: string) => void,
): void => {
  for (let at = from; at + 6 <= end;) {
    const ssrc = u32(bytes, at);
    at += 4;
    while (at + 2 <= end && bytes[at] !== 0) {
      const length = bytes[at + 1]!;
      if (at + 2 + length > end) return;
      if (bytes[at] === cnameItem) visit(ssrc, text.decode(bytes.subarray(at + 2, at + 2 + length)));
      at += 2 + length;
    }
    // A chunk ends with at least one zero, on a word of the packet.
    at = from + Math.ceil((at + 1 - from) / 4) * 4;
  }
};

/** Visits what is understood of the compound packet at `bytes[at .. at + length]`; false where it is broken. */
export const walkRtcp = (bytes: Uint8Array, at: number, length: number, visitor: RtcpVisitor): boolean => {
  const end = at + length;
  while (end - at >= headerLength) {
    const size = headerLength * (u16(bytes, at + 2) + 1);
    if (bytes[at]! >> 6 !== 2 || at + size > end) return false;
    if (bytes[at + 1] === rtcpType.senderReport && size >= shortestSenderReport) {
      visitor.senderReport(u32(bytes, at + 4), at);
    } else if (bytes[at + 1] === rtcpType.bye) {
      const sources = Math.min(bytes[at]! & 0x1f, size / 4 - 1);
      for (let i = 0; i < sources; i++) visitor.bye(u32(bytes, at + headerLength + 4 * i));
    } else if (bytes[at + 1] === rtcpType.sourceDescription && visitor.name) {
      visitNames(bytes, at + headerLength, at + size, visitor.name);
    }
    at += size;
  }

  return at === end;
};

/** Of the sender report at `at`: what a receiver report says back of it as LSR (§6.4.1), the middle 32 bits of its NTP time. */
export const lastSenderReportAt = (bytes: Uint8Array, at: number): number => u32(bytes, at + 10);

export const reportTimestampAt = (bytes: Uint8Array, at: number): number => u32(bytes, at + 16);

/** Its NTP time, seconds since 1900. */
export const reportNtpS = (bytes: Uint8Array, at: number): number =>
  u32(bytes, at + 8) + u32(bytes, at + 12) / 2 ** 32;

/** Seconds from 1900 to 1970. */
const ntpToUnix = 2_208_988_800;
/** RFC 4330 §3: where the first bit isn't set, the era after 2036 is meant; nobody recorded before 1968. */
const eraSeconds = 0x100000000;

/** Its NTP time as ns since 1970; undefined for a sender without a clock, which writes zeros. */
export const reportUnixNs = (bytes: Uint8Array, at: number): bigint | undefined => {
  const seconds = u32(bytes, at + 8);
  const fraction = u32(bytes, at + 12);
  if (seconds === 0 && fraction === 0) return undefined;
  const era = seconds < 0x80000000 ? eraSeconds : 0;
  const nanos = (BigInt(fraction) * 1_000_000_000n) >> 32n;

  return BigInt(seconds + era - ntpToUnix) * 1_000_000_000n + nanos;
};
