/**
 * The segment log: what the receiving threads append to, all streams of a thread in one file at a time.
 * Files are `<segments>/worker-<w>/<number>-<salt>.segment`; numbers grow over all lives of the node. All integers
 * are little-endian. A file is a header and then blocks, back to back:
 *
 * ```
 *  0        4        8        12       16       20       24            32            40          48       64
 * +-----------------+--------+--+-----+--------+--------+-------------+-------------+-----------+---------+
 * | "REELSEG1"      | CRC of | v| wor-| number | salt   | epoch       | monotonic,  | wall, ns  | boot id |  header
 * |                 | 12..64 |=1| ker |        |        |             | ns          | since 1970|         |
 * +-----------------+--------+--+-----+--------+--------+-------------+-------------+-----------+---------+
 *
 *  0        4        8        12       16 17 18   20       24       28       32             48       52
 * +--------+--------+--------+--------+--+--+----+--------+--------+--------+--------------+--------+---------+
 * | "RSB1" | CRC of | CRC of | length |ki|0 |tra-| ordi-  | previous block  | session's    | clock  | payload |  block
 * |        | 8..52  | payload| of pay-|nd|  |ck  | nal    | segment| offset | UUID         | block's| …       |
 * |        |        |        | load   |  |  |    |        |        |        |              | offset |         |
 * +--------+--------+--------+--------+--+--+----+--------+--------+--------+--------------+--------+---------+
 * ```
 *
 * - Kind 1, media: the payload is a run of frames of one stream (session and track) as a packet source makes them
 *   (libs/rtp, packet-batch.ts); each run names its source addresses itself.
 * - Kind 2, clock: one at the beginning and one a second. Payload: monotonic ns (8), wall ns (8), epoch (8), boot id
 *   (16). Monotonic time is comparable between all lives of one boot. Every block points to the clock before it.
 * - Ordinals count the blocks of a stream in one life from 1. `previous` leads back through them, so that sealing walks
 *   one stream without scanning; segment 0 means none.
 * - Every CRC-32 is seeded with the file's salt. A packet that carries the image of a block, or stale bytes of an older
 *   file, can't pass for a block of this one. The salt is in the file's name too: a damaged header costs nothing.
 */
import { crc32 } from 'node:zlib';
import { shortCrc32 } from './short-crc32.ts';

export const segmentHeaderLength = 64;
export const blockHeaderLength = 52;
export const blockKind = { media: 1, clock: 2 } as const;
export const clockPayloadLength = 40;
/** Longest payload of a block; a longer announced length is damage. */
export const longestPayload = 4 * 1024 * 1024;
export const blockMagic = Buffer.from('RSB1');
const blockMagicWord = blockMagic.readUInt32LE();

const segmentMagic = Buffer.from('REELSEG1');
const formatVersion = 1;

export type Pointer = { readonly segment: number; readonly offset: number };

export type Clock = {
  readonly monotonicNs: bigint;
  readonly wallNs: bigint;
  readonly epoch: bigint;
  /** 32 hex digits. */
  readonly bootId: string;
};

export type SegmentName = { readonly worker: number; readonly segment: number; readonly salt: number };

const namePattern = /^(\d{8,10})-([0-9a-f]{8})\.segment$/;

export const workerFolder = (worker: number): string => `worker-${worker}`;

export const segmentFile = ({ segment, salt }: Omit<SegmentName, 'worker'>): string =>
  `${String(segment).padStart(8, '0')}-${salt.toString(16).padStart(8, '0')}.segment`;

/** Number and salt of a segment's file name; undefined for other files. */
export const parseSegmentFile = (name: string): Omit<SegmentName, 'worker'> | undefined => {
  const match = namePattern.exec(name);

  return match ? { segment: Number(match[1]), salt: Number.parseInt(match[2]!, 16) } : undefined;
};

export const formatSegmentHeader = ({ worker, segment, salt }: SegmentName, clock: Clock): Buffer => {
  const header = Buffer.alloc(segmentHeaderLength);
  segmentMagic.copy(header);
  header.writeUInt16LE(formatVersion, 12);
  header.writeUInt16LE(worker, 14);
  header.writeUInt32LE(segment, 16);
  header.writeUInt32LE(salt, 20);
  header.writeBigUInt64LE(clock.epoch, 24);
  header.writeBigUInt64LE(clock.monotonicNs, 32);
  header.writeBigUInt64LE(clock.wallNs, 40);
  header.write(clock.bootId, 48, 16, 'hex');
  header.writeUInt32LE(crc32(header.subarray(12), salt), 8);

  return header;
};

/** The clock in a segment's header; undefined where the header is damaged, of another version, or of another file. */
export const parseSegmentHeader = (header: Buffer, salt: number): Clock | undefined => {
  if (header.length < segmentHeaderLength || !header.subarray(0, 8).equals(segmentMagic)) return undefined;
  if (header.readUInt32LE(8) !== crc32(header.subarray(12, segmentHeaderLength), salt)) return undefined;
  if (header.readUInt16LE(12) !== formatVersion) return undefined;

  return {
    epoch: header.readBigUInt64LE(24),
    monotonicNs: header.readBigUInt64LE(32),
    wallNs: header.readBigUInt64LE(40),
    bootId: header.toString('hex', 48, 64),
  };
};

export const formatClock = (clock: Clock): Buffer => {
  const payload = Buffer.alloc(clockPayloadLength);
  payload.writeBigUInt64LE(clock.monotonicNs, 0);
  payload.writeBigUInt64LE(clock.wallNs, 8);
  payload.writeBigUInt64LE(clock.epoch, 16);
  payload.write(clock.bootId, 24, 16, 'hex');

  return payload;
};

export const parseClock = (payload: Buffer): Clock | undefined =>
  payload.length === clockPayloadLength
    ? {
        monotonicNs: payload.readBigUInt64LE(0),
        wallNs: payload.readBigUInt64LE(8),
        epoch: payload.readBigUInt64LE(16),
        bootId: payload.toString('hex', 24, 40),
      }
    : undefined;

export type BlockHeader = {
  readonly kind: number;
  readonly trackNumber: number;
  readonly ordinal: number;
  readonly previous: Pointer;
  /** 16 bytes. */
  readonly session: Buffer;
  readonly clockOffset: number;
  readonly payloadLength: number;
  readonly payloadCrc: number;
};

/** What a block's header says beside its payload. */
export type BlockOrigin = {
  readonly trackNumber: number;
  /** Its UUID as words, in the order of its bytes. */
  readonly session0: number;
  readonly session1: number;
  readonly session2: number;
  readonly session3: number;
  /** Of the block before, which is the stream's last. */
  readonly ordinal: number;
  readonly segment: number;
  readonly offset: number;
};

/** Writes the header of a block to `target` at `at`; its payload of that length and checksum goes behind it. */
export const writeBlockHeader = (
  target: DataView,
  at: number,
  salt: number,
  kind: number,
  { trackNumber, session0, session1, session2, session3, ordinal, segment, offset }: BlockOrigin,
  clockOffset: number,
  payloadLength: number,
  payloadCrc: number,
): void => {
  target.setUint32(at, blockMagicWord, true);
  target.setInt32(at + 8, payloadCrc, true);
  target.setUint32(at + 12, payloadLength, true);
  target.setUint32(at + 16, kind | (trackNumber << 16), true);
  target.setUint32(at + 20, ordinal + 1, true);
  target.setUint32(at + 24, segment, true);
  target.setUint32(at + 28, offset, true);
  target.setInt32(at + 32, session0, true);
  target.setInt32(at + 36, session1, true);
  target.setInt32(at + 40, session2, true);
  target.setInt32(at + 44, session3, true);
  target.setUint32(at + 48, clockOffset, true);
  target.setUint32(at + 4, shortCrc32(target, at + 8, at + blockHeaderLength, salt), true);
};

/** The block header at the beginning of `bytes`; undefined where there is none that is whole. */
export const parseBlockHeader = (bytes: Buffer, salt: number): BlockHeader | undefined => {
  if (bytes.length < blockHeaderLength || bytes.compare(blockMagic, 0, 4, 0, 4) !== 0) return undefined;
  if (bytes.readUInt32LE(4) !== crc32(bytes.subarray(8, blockHeaderLength), salt)) return undefined;
  if (bytes.readUInt32LE(12) > longestPayload) return undefined;

  return {
    kind: bytes.readUInt8(16),
    trackNumber: bytes.readUInt16LE(18),
    ordinal: bytes.readUInt32LE(20),
    previous: { segment: bytes.readUInt32LE(24), offset: bytes.readUInt32LE(28) },
    session: Buffer.from(bytes.subarray(32, 48)),
    clockOffset: bytes.readUInt32LE(48),
    payloadLength: bytes.readUInt32LE(12),
    payloadCrc: bytes.readUInt32LE(8),
  };
};

/** The UUID as four words, in the order of its bytes. */
export const sessionWords = (sessionId: string): readonly [number, number, number, number] => {
  const bytes = Buffer.from(sessionId.replaceAll('-', ''), 'hex');

  return [bytes.readInt32LE(0), bytes.readInt32LE(4), bytes.readInt32LE(8), bytes.readInt32LE(12)];
};

export const sessionIdOf = (bytes: Buffer): string =>
  bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
