/**
 * `track-<n>.index`: what an rtpdump file can't hold, one entry per record of it, in the same order. All integers are
 * little-endian.
 *
 * ```
 * "REELIDX1"                                            8 bytes
 * entry, any number:
 *   0  arrival since the start of the session, ns       8
 *   8  position of the record in the rtpdump file       8
 *  16  length of the packet                             2
 *  18  channel: 0 RTP, 1 RTCP                           2
 *  20  number of its source address in the table        4
 * table of source addresses, one `address:port\n` each, in UTF-8
 * number of entries                                     8
 * "REELIDXE"                                            8
 * ```
 */
import { readFile } from 'node:fs/promises';
import { DamagedFileError } from './errors.ts';

export const indexMagic = Buffer.from('REELIDX1');
const endMagic = Buffer.from('REELIDXE');
export const indexEntryLength = 24;
const footerLength = 16;

export type IndexEntry = {
  readonly channel: 'rtp' | 'rtcp';
  readonly arrivalNs: number;
  /** Of the record in the rtpdump file; the packet begins 8 bytes further. */
  readonly position: number;
  readonly length: number;
  /** address:port */
  readonly source: string;
};

export const writeIndexEntry = (
  target: Buffer,
  at: number,
  entry: {
    readonly arrivalNs: number;
    readonly position: number;
    readonly length: number;
    readonly rtcp: boolean;
    readonly source: number;
  },
): void => {
  target.writeBigUInt64LE(BigInt(Math.max(0, Math.round(entry.arrivalNs))), at);
  target.writeBigUInt64LE(BigInt(entry.position), at + 8);
  target.writeUInt16LE(entry.length, at + 16);
  target.writeUInt16LE(entry.rtcp ? 1 : 0, at + 18);
  target.writeUInt32LE(entry.source, at + 20);
};

export const formatIndexEnd = (sources: readonly string[], entries: number): Buffer => {
  const footer = Buffer.alloc(footerLength);
  footer.writeBigUInt64LE(BigInt(entries), 0);
  endMagic.copy(footer, 8);

  return Buffer.concat([Buffer.from(sources.map((source) => `${source}\n`).join('')), footer]);
};

/** Reads the bytes of an index; undefined where they are none. */
export const parseIndex = (bytes: Buffer): readonly IndexEntry[] | undefined => {
  if (bytes.length < indexMagic.length + footerLength) return undefined;
  const footerAt = bytes.length - footerLength;
  if (!bytes.subarray(0, indexMagic.length).equals(indexMagic)) return undefined;
  if (!bytes.subarray(footerAt + 8).equals(endMagic)) return undefined;
  const count = Number(bytes.readBigUInt64LE(footerAt));
  const tableAt = indexMagic.length + count * indexEntryLength;
  if (tableAt > footerAt) return undefined;
  const sources = bytes.toString('utf8', tableAt, footerAt).split('\n');

  return Array.from({ length: count }, (_, i) => {
    const at = indexMagic.length + i * indexEntryLength;

    return {
      channel: bytes.readUInt16LE(at + 18) === 1 ? 'rtcp' : 'rtp',
      arrivalNs: Number(bytes.readBigUInt64LE(at)),
      position: Number(bytes.readBigUInt64LE(at + 8)),
      length: bytes.readUInt16LE(at + 16),
      source: sources[bytes.readUInt32LE(at + 20)] ?? '',
    };
  });
};

/** Every entry of an index file. Throws DamagedFileError, and Node's error where it can't be read. */
export const readIndex = async (path: string): Promise<readonly IndexEntry[]> => {
  const entries = parseIndex(await readFile(path));
  if (!entries) throw new DamagedFileError(`${path} is no index`);

  return entries;
};
