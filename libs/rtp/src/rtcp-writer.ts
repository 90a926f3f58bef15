import { rtcpType } from './rtcp-types.ts';
import type { SourceStatistics } from './source-statistics.ts';

/** What the last report of a source said, for the fraction lost since then. */
export type ReportedBefore = { readonly expected: number; readonly received: number };

export type ReportedSource = {
  readonly statistics: SourceStatistics;
  readonly before?: ReportedBefore | undefined;
  /** Middle 32 bits of the NTP time of its last sender report; 0 where none came (RFC 3550 §6.4.1). */
  readonly lastSenderReport?: number | undefined;
  /** Time since that report came, in 1/65536 s. */
  readonly delaySinceLastSenderReport?: number | undefined;
};

/** RFC 4585 §6.3.1; RFC 5104 §4.3.1. */
const pictureLossIndication = 1;
const fullIntraRequest = 4;

const mostReports = 31;
const lostLimit = 0x7fffff;
const longestItem = 255;

/** A.3: 8-bit fixed point; negative loss counts as none. */
const fractionLost = ({ statistics, before }: ReportedSource): number => {
  const expected = statistics.expected - (before?.expected ?? 0);
  const lost = expected - (statistics.received - (before?.received ?? 0));

  return expected > 0 && lost > 0 ? Math.min(255, Math.floor((lost * 256) / expected)) : 0;
};

const packet = (type: number, count: number, bodyLength: number, ssrc: number): Buffer => {
  // From Node's pool: hundreds of reports a second are no memory of their own each.
  const bytes = Buffer.allocUnsafe(8 + bodyLength).fill(0);
  bytes[0] = 0x80 | count;
  bytes[1] = type;
  bytes.writeUInt16BE(bytes.length / 4 - 1, 2);
  bytes.writeUInt32BE(ssrc, 4);

  return bytes;
};

/** A receiver report (RFC 3550 §6.4.2) on at most 31 sources; on none it is empty, and as valid. */
export const formatReceiverReport = (ssrc: number, sources: readonly ReportedSource[]): Buffer => {
  const reported = sources.slice(0, mostReports);
  const bytes = packet(rtcpType.receiverReport, reported.length, 24 * reported.length, ssrc);
  for (const [place, source] of reported.entries()) {
    const { statistics, lastSenderReport = 0, delaySinceLastSenderReport = 0 } = source;
    const at = 8 + 24 * place;
    bytes.writeUInt32BE(statistics.ssrc, at);
    bytes[at + 4] = fractionLost(source);
    const lost = Math.max(-lostLimit - 1, Math.min(lostLimit, statistics.lost));
    bytes.writeIntBE(lost, at + 5, 3);
    bytes.writeUInt32BE(statistics.extendedHighest % 0x100000000, at + 8);
    bytes.writeUInt32BE(Math.floor(statistics.jitter) % 0x100000000, at + 12);
    bytes.writeUInt32BE(lastSenderReport, at + 16);
    bytes.writeUInt32BE(Math.min(0xffffffff, Math.max(0, Math.round(delaySinceLastSenderReport))), at + 20);
  }

  return bytes;
};

/** A source description with a CNAME (§6.5.1), cut to 255 bytes. */
export const formatCname = (ssrc: number, cname: string): Buffer => {
  const name = Buffer.from(cname).subarray(0, longestItem);
  // Item type, length, text, and at least one null up to the next word.
  const bytes = packet(rtcpType.sourceDescription, 1, 4 * Math.floor((2 + name.length) / 4 + 1), ssrc);
  bytes[8] = 1;
  bytes[9] = name.length;
  name.copy(bytes, 10);

  return bytes;
};

/** §6.6: `ssrc` leaves. */
export const formatBye = (ssrc: number): Buffer => packet(rtcpType.bye, 1, 0, ssrc);

/** RFC 4585 §6.3.1: parts of a picture of `media` are missing, a new one is wanted. */
export const formatPli = (ssrc: number, media: number): Buffer => {
  const bytes = packet(rtcpType.payloadFeedback, pictureLossIndication, 4, ssrc);
  bytes.writeUInt32BE(media, 8);

  return bytes;
};

/** RFC 5104 §4.3.1: a decoder needs a picture that stands alone; `sequence` goes up with each new request, not with repeats. */
export const formatFir = (ssrc: number, media: number, sequence: number): Buffer => {
  const bytes = packet(rtcpType.payloadFeedback, fullIntraRequest, 12, ssrc);
  bytes.writeUInt32BE(media, 12);
  bytes[16] = sequence & 0xff;

  return bytes;
};
