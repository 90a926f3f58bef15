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
};

const u16 = (bytes: Uint8Array, at: number): number => (bytes[at]! << 8) | bytes[at + 1]!;
const u32 = (bytes: Uint8Array, at: number): number => u16(bytes, at) * 0x10000 + u16(bytes, at + 2);

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
    }
    at += size;
  }

  return at === end;
};

/** Of the sender report at `at`: what a receiver report says back of it as LSR (§6.4.1), the middle 32 bits of its NTP time. */
export const lastSenderReportAt = (bytes: Uint8Array, at: number): number => u32(bytes, at + 10);

export const reportTimestampAt = (bytes: Uint8Array, at: number): number => u32(bytes, at + 16);

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
