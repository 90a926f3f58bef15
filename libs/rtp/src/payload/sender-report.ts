import { reportNtpS, reportTimestampAt, walkRtcp } from '../rtcp-reader.ts';

export type SenderReport = {
  readonly ssrc: number;
  /** Seconds since 1900 on the sender's wall clock. */
  readonly ntpS: number;
  readonly rtpTimestamp: number;
};

export type SenderClockReport = {
  readonly reports: readonly SenderReport[];
  /** CNAME by SSRC. */
  readonly names: ReadonlyMap<number, string>;
};

/** What a compound RTCP packet says of its sender's clocks: sender reports and CNAMEs. A length that lies ends the reading. */
export const readSenderClocks = (packet: Uint8Array): SenderClockReport => {
  const reports: SenderReport[] = [];
  const names = new Map<number, string>();
  walkRtcp(packet, 0, packet.length, {
    senderReport: (ssrc, at) =>
      void reports.push({
        ssrc,
        ntpS: reportNtpS(packet, at),
        rtpTimestamp: reportTimestampAt(packet, at),
      }),
    bye: () => undefined,
    name: (ssrc, name) => void names.set(ssrc, name),
  });

  return { reports, names };
};
