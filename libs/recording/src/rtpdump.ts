/**
 * The rtpdump format of rtptools, which Wireshark reads too. All integers are big-endian.
 *
 * ```
 * #!rtpplay1.0 <address>/<port>\n          text line; the address packets were sent from
 *
 *  0                   1                   2                   3
 * +---------------------------------------------------------------+
 * | start, seconds since 1970                                     |  RD_hdr_t, once
 * | start, microseconds                                           |
 * | source address (IPv4, else 0)                                 |
 * | source port                   | padding, 0                    |
 * +---------------------------------------------------------------+
 * | length with these 8 bytes     | plen: packet length; 0 = RTCP |  RD_packet_t, then
 * | offset in ms since start                                      |  the packet
 * +---------------------------------------------------------------+
 * ```
 */
import { isIPv4 } from 'node:net';

export const recordHeaderLength = 8;
/** Longest packet a record can hold: its length is 16 bits and counts the record header. */
export const longestPacket = 0xffff - recordHeaderLength;

const binaryHeaderLength = 16;
const longestLine = 100;
const newline = 0x0a;

export type RtpdumpStart = {
  /** Wall clock, microseconds since 1970. */
  readonly startUs: bigint;
  /** Where the packets came from, in both headers as rtptools has it. Wireshark refuses port 0. */
  readonly address: string;
  readonly port: number;
};

const ipv4Number = (address: string): number =>
  isIPv4(address) ? address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0) : 0;

export const formatRtpdumpHeader = ({ startUs, address, port }: RtpdumpStart): Buffer => {
  const line = Buffer.from(`#!rtpplay1.0 ${address}/${port}\n`, 'latin1');
  const header = Buffer.alloc(binaryHeaderLength);
  header.writeUInt32BE(Number((startUs / 1_000_000n) & 0xffffffffn), 0);
  header.writeUInt32BE(Number(startUs % 1_000_000n), 4);
  header.writeUInt32BE(ipv4Number(address), 8);
  header.writeUInt16BE(port, 12);

  return Buffer.concat([line, header]);
};

/** Writes a record header to `target` at `at`. `offsetMs` past 49 days stays at the highest value. */
export const writeRecordHeader = (
  target: Buffer,
  at: number,
  record: { readonly packetLength: number; readonly rtcp: boolean; readonly offsetMs: number },
): void => {
  target.writeUInt16BE(recordHeaderLength + record.packetLength, at);
  target.writeUInt16BE(record.rtcp ? 0 : record.packetLength, at + 2);
  target.writeUInt32BE(Math.min(Math.floor(record.offsetMs), 0xffffffff), at + 4);
};

/** Start and length of the header at the beginning of `bytes`; `short` where more bytes may complete it. */
export const parseRtpdumpHeader = (
  bytes: Buffer,
): (RtpdumpStart & { readonly length: number }) | 'short' | 'damaged' => {
  const end = bytes.subarray(0, longestLine).indexOf(newline);
  if (end < 0) return bytes.length < longestLine ? 'short' : 'damaged';
  const match = /^#!rtpplay1\.0 ([^/ ]+)\/(\d{1,5})$/.exec(bytes.toString('latin1', 0, end));
  if (!match?.[1]) return 'damaged';
  const at = end + 1;
  if (bytes.length < at + binaryHeaderLength) return 'short';

  return {
    startUs: BigInt(bytes.readUInt32BE(at)) * 1_000_000n + BigInt(bytes.readUInt32BE(at + 4)),
    address: match[1],
    port: Number(match[2]),
    length: at + binaryHeaderLength,
  };
};
