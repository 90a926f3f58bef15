import { crc32 } from 'node:zlib';

/*
 * Records of a log, one a line: `<CRC-32 of the JSON, 8 hexadecimal digits> <JSON>LF`. JSON has no line feed of its own,
 * so whatever is damaged, the next line feed begins a whole record again.
 */

/** A value under its key, null where the key has ended. */
export type Entry<T> = readonly [key: string, value: T | null];

export function formatRecord<T>(entry: Entry<T>): Buffer {
  const json = Buffer.from(JSON.stringify(entry), 'utf8');
  const checksum = crc32(json).toString(16).padStart(8, '0');
  return Buffer.concat([Buffer.from(`${checksum} `), json, LINE_FEED]);
}

export type LogContent<T> = {
  /** What the keys stood for at the end of the log. */
  readonly live: Map<string, T>;
  /** Lines that were no whole record: a torn tail is one. */
  readonly damaged: number;
};

/** Reads a log of ours, whatever has become of it: records that fail their checksum are left out and counted. */
export function readRecords<T>(bytes: Buffer): LogContent<T> {
  const live = new Map<string, T>();
  let damaged = 0;
  for (let from = 0; from < bytes.length;) {
    const end = bytes.indexOf(LF, from);
    const entry = end === -1 ? undefined : readRecord<T>(bytes.subarray(from, end));
    if (entry === undefined) damaged++;
    else if (entry[1] === null) live.delete(entry[0]);
    else live.set(entry[0], entry[1]);
    from = end === -1 ? bytes.length : end + 1;
  }
  return { live, damaged };
}

function readRecord<T>(line: Buffer): Entry<T> | undefined {
  const checksum = line.toString('latin1', 0, CHECKSUM_LENGTH);
  const json = line.subarray(CHECKSUM_LENGTH + 1);
  if (!/^[0-9a-f]{8}$/.test(checksum) || Number.parseInt(checksum, 16) !== crc32(json)) return undefined;
  // The checksum vouches that we wrote this.
  return JSON.parse(json.toString('utf8')) as Entry<T>;
}

const LF = 10;
const LINE_FEED = Buffer.from([LF]);
const CHECKSUM_LENGTH = 8;
