import { ReceiverReportPacket, ReceptionReport } from 'rtp.js/packets';
import type { SourceStatistics } from './source-statistics.ts';

/** What the last report of a source said, for the fraction lost since then. */
export type ReportedBefore = { readonly expected: number; readonly received: number };

export type ReportedSource = {
  readonly statistics: SourceStatistics;
  readonly before?: ReportedBefore;
  /** Middle 32 bits of the NTP time of its last sender report; 0 where none came (RFC 3550 §6.4.1). */
  readonly lastSenderReport?: number;
  /** Time since that report came, in 1/65536 s. */
  readonly delaySinceLastSenderReport?: number;
};

const mostSources = 31;
const lostLimit = 0x7fffff;

/** A.3: 8-bit fixed point; negative loss counts as none. */
const fractionLost = ({ statistics, before }: ReportedSource): number => {
  const expected = statistics.expected - (before?.expected ?? 0);
  const lost = expected - (statistics.received - (before?.received ?? 0));

  return expected > 0 && lost > 0 ? Math.min(255, Math.floor((lost * 256) / expected)) : 0;
};

const receptionReport = (source: ReportedSource): ReceptionReport => {
  const report = new ReceptionReport();
  report.setSsrc(source.statistics.ssrc);
  report.setFractionLost(fractionLost(source));
  report.setTotalLost(Math.max(-lostLimit - 1, Math.min(lostLimit, source.statistics.lost)));
  report.setHighestSeqNumber(source.statistics.extendedHighest % 0x100000000);
  report.setJitter(Math.floor(source.statistics.jitter) % 0x100000000);
  report.setLastSRTimestamp(source.lastSenderReport ?? 0);
  report.setDelaySinceLastSR(source.delaySinceLastSenderReport ?? 0);

  return report;
};

/** An RTCP receiver report (RFC 3550 §6.4.2) on at most 31 sources, as bytes to send. */
export const formatReceiverReport = (ssrc: number, sources: readonly ReportedSource[]): Buffer => {
  const packet = new ReceiverReportPacket();
  packet.setSsrc(ssrc);
  for (const source of sources.slice(0, mostSources)) packet.addReport(receptionReport(source));
  packet.serialize();
  const view = packet.getView();

  return Buffer.from(Buffer.from(view.buffer, view.byteOffset, view.byteLength));
};
