/**
 * What a compound RTCP packet says of its sender's clocks: sender reports (RFC 3550 §6.4.1) and, of the source
 * descriptions, CNAME (§6.5.1). Nothing is thrown; a length that lies ends the reading.
 *
 * ```
 * V(2) P(1) RC(5)  PT=200  length in words less one (16)
 * SSRC (32)  NTP timestamp: seconds since 1900 (32), fraction (32)  RTP timestamp (32)  …
 * ```
 */
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

const senderReport = 200;
const sourceDescription = 202;
const cnameItem = 1;
const senderReportLength = 28;

/** CNAMEs of the chunks between two places. */
const readNames = (bytes: DataView, from: number, end: number, names: Map<number, string>): void => {
  for (let at = from; at + 6 <= end;) {
    const ssrc = bytes.getUint32(at);
    at += 4;
    while (at + 2 <= end && bytes.getUint8(at) !== 0) {
      const length = bytes.getUint8(at + 1);
      if (at + 2 + length > end) return;
      if (bytes.getUint8(at) === cnameItem) {
        const text = new Uint8Array(bytes.buffer, bytes.byteOffset + at + 2, length);
        names.set(ssrc, new TextDecoder().decode(text));
      }
      at += 2 + length;
    }
    // A chunk ends with at least one zero, on a word of the packet.
    at = from + Math.ceil((at + 1 - from) / 4) * 4;
  }
};

export const readSenderClocks = (packet: Uint8Array): SenderClockReport => {
  const bytes = new DataView(packet.buffer, packet.byteOffset, packet.length);
  const reports: SenderReport[] = [];
  const names = new Map<number, string>();
  for (let at = 0; at + 4 <= packet.length;) {
    const end = at + 4 + bytes.getUint16(at + 2) * 4;
    if (bytes.getUint8(at) >> 6 !== 2 || end > packet.length) break;
    const type = bytes.getUint8(at + 1);
    if (type === senderReport && end - at >= senderReportLength) {
      reports.push({
        ssrc: bytes.getUint32(at + 4),
        ntpS: bytes.getUint32(at + 8) + bytes.getUint32(at + 12) / 2 ** 32,
        rtpTimestamp: bytes.getUint32(at + 16),
      });
    } else if (type === sourceDescription) readNames(bytes, at + 4, end, names);
    at = end;
  }

  return { reports, names };
};
