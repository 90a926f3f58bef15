/** Packets as they go over the wire: RTP and RTCP (RFC 3550 §5.1, §6.4.1, §6.5, §6.6). */

export type RtpFields = {
  readonly marker: boolean;
  readonly payloadType: number;
  readonly sequence: number;
  readonly timestamp: number;
  readonly ssrc: number;
};

/** An RTP packet without padding, extension or contributing sources; fields wrap to their width. */
export const formatRtp = (fields: RtpFields, payload: Uint8Array): Buffer => {
  const packet = Buffer.allocUnsafe(12 + payload.length);
  packet[0] = 0x80;
  packet[1] = (fields.marker ? 0x80 : 0) | (fields.payloadType & 0x7f);
  packet.writeUInt16BE(fields.sequence & 0xffff, 2);
  packet.writeUInt32BE(fields.timestamp >>> 0, 4);
  packet.writeUInt32BE(fields.ssrc >>> 0, 8);
  packet.set(payload, 12);

  return packet;
};

const ntpEpochOffsetS = 2_208_988_800;

const rtcpHeader = (packet: Buffer, count: number, type: number): Buffer => {
  packet[0] = 0x80 | count;
  packet[1] = type;
  packet.writeUInt16BE(packet.length / 4 - 1, 2);

  return packet;
};

const description = (ssrc: number, cname: string): Buffer => {
  const name = Buffer.from(cname, 'utf8').subarray(0, 255);
  // Item type, length, text, and at least one null up to the next 32-bit boundary.
  const packet = Buffer.alloc(8 + Math.ceil((2 + name.length + 1) / 4) * 4);
  packet.writeUInt32BE(ssrc >>> 0, 4);
  packet[8] = 1;
  packet[9] = name.length;
  packet.set(name, 10);

  return rtcpHeader(packet, 1, 202);
};

/** A compound packet: sender report and CNAME; with a BYE behind it where the stream ends. */
export const formatSenderReport = (report: {
  readonly ssrc: number;
  /** Wall clock in Unix milliseconds, and the RTP timestamp of that instant. */
  readonly unixMs: number;
  readonly timestamp: number;
  readonly packets: number;
  readonly octets: number;
  readonly cname: string;
  readonly bye: boolean;
}): Buffer => {
  const sender = Buffer.alloc(28);
  const seconds = Math.floor(report.unixMs / 1000);
  sender.writeUInt32BE(report.ssrc >>> 0, 4);
  sender.writeUInt32BE((seconds + ntpEpochOffsetS) >>> 0, 8);
  sender.writeUInt32BE(Math.floor(((report.unixMs - seconds * 1000) / 1000) * 2 ** 32) >>> 0, 12);
  sender.writeUInt32BE(report.timestamp >>> 0, 16);
  sender.writeUInt32BE(report.packets >>> 0, 20);
  sender.writeUInt32BE(report.octets >>> 0, 24);
  const parts = [rtcpHeader(sender, 0, 200), description(report.ssrc, report.cname)];
  if (report.bye) {
    const bye = Buffer.alloc(8);
    bye.writeUInt32BE(report.ssrc >>> 0, 4);
    parts.push(rtcpHeader(bye, 1, 203));
  }

  return Buffer.concat(parts);
};
