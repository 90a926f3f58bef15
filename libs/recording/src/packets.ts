import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { DamagedFileError } from './errors.ts';
import { indexFile, rtpdumpFile } from './paths.ts';
import { longestPacket, parseRtpdumpHeader, recordHeaderLength } from './rtpdump.ts';
import { indexEntryLength, indexMagic } from './track-index.ts';

/** One packet of a track with its arrival in full precision. */
export type TrackPacket = {
  readonly channel: 'rtp' | 'rtcp';
  /** Since the start of the session. */
  readonly arrivalNs: number;
  readonly packet: Uint8Array;
};

/** Packets that follow one another in the file. */
export type TrackPackets = {
  readonly packets: readonly TrackPacket[];
  /** Bytes of the rtpdump file read by now. */
  readonly bytesRead: number;
};

const chunkBytes = 256 * 1024;
const entriesAtOnce = 4_096;
/** Longer than every header, and than every record. */
const longestRecord = recordHeaderLength + longestPacket;

type Arrival = { readonly ns: number; readonly position: number };

/** The entries of an index, one after the other; undefined past its end, and where there is no index. */
class Arrivals {
  readonly #file: FileHandle | undefined;
  readonly #bytes = Buffer.alloc(entriesAtOnce * indexEntryLength);
  #at = indexMagic.length;
  #held = 0;
  #next = 0;

  constructor(file: FileHandle | undefined) {
    this.#file = file;
  }

  /** Makes sure that `count` entries can be taken, if the file has them. */
  async fill(count: number): Promise<void> {
    if (!this.#file || this.#held - this.#next >= count) return;
    this.#bytes.copyWithin(0, this.#next * indexEntryLength, this.#held * indexEntryLength);
    this.#held -= this.#next;
    this.#next = 0;
    const from = this.#held * indexEntryLength;
    const { bytesRead } = await this.#file.read(this.#bytes, from, this.#bytes.length - from, this.#at);
    const entries = Math.floor(bytesRead / indexEntryLength);
    this.#at += entries * indexEntryLength;
    this.#held += entries;
  }

  take(): Arrival | undefined {
    if (this.#next >= this.#held) return undefined;
    const at = this.#next++ * indexEntryLength;

    return {
      ns: Number(this.#bytes.readBigUInt64LE(at)),
      position: Number(this.#bytes.readBigUInt64LE(at + 8)),
    };
  }
}

/** Packets of the records in `bytes`, which begin at `position` of the file, up to `most` of them. */
class Records {
  readonly #path: string;
  readonly #arrivals: Arrivals;
  /** An index of other packets is none: once it doesn't fit, the rtpdump's own milliseconds count. */
  #fits = true;

  constructor(path: string, arrivals: Arrivals) {
    this.#path = path;
    this.#arrivals = arrivals;
  }

  /** Reads what is whole; `length` says how far that goes. */
  read(bytes: Buffer, position: number, most: number): { packets: TrackPacket[]; length: number } {
    const packets: TrackPacket[] = [];
    let at = 0;
    while (packets.length < most && bytes.length - at >= recordHeaderLength) {
      const length = bytes.readUInt16BE(at);
      if (length < recordHeaderLength)
        throw new DamagedFileError(`${this.#path}: record of ${length} bytes at ${position + at}`);
      if (bytes.length - at < length) break;
      const offsetMs = bytes.readUInt32BE(at + 4);
      packets.push({
        channel: bytes.readUInt16BE(at + 2) === 0 ? 'rtcp' : 'rtp',
        arrivalNs: this.#arrivalNs(position + at, offsetMs),
        packet: bytes.subarray(at + recordHeaderLength, at + length),
      });
      at += length;
    }

    return { packets, length: at };
  }

  #arrivalNs(position: number, offsetMs: number): number {
    const found = this.#fits ? this.#arrivals.take() : undefined;
    this.#fits = found?.position === position && Math.abs(found.ns / 1e6 - offsetMs) < 2;

    return this.#fits && found ? found.ns : offsetMs * 1e6;
  }
}

/**
 * Every packet of a track in order of arrival, some at a time, with bounded memory. Where the index is missing or doesn't
 * fit, arrivals are the rtpdump's own, in milliseconds. A file cut inside a record yields what is whole and then throws
 * DamagedFileError.
 */
export async function* readTrackPackets(folder: string, trackNumber: number): AsyncGenerator<TrackPackets> {
  const path = join(folder, rtpdumpFile(trackNumber));
  await using files = new AsyncDisposableStack();
  const index = await open(join(folder, indexFile(trackNumber)), 'r').catch(() => undefined);
  if (index) files.use(index);
  const file = files.use(await open(path, 'r'));
  const arrivals = new Arrivals(index);
  const records = new Records(path, arrivals);
  const first = Buffer.alloc(longestRecord);
  const { bytesRead } = await file.read(first, 0, first.length, 0);
  const header = parseRtpdumpHeader(first.subarray(0, bytesRead));
  if (typeof header === 'string') throw new DamagedFileError(`${path} is no rtpdump file`);
  for (let position = header.length; ;) {
    // Packets keep the buffer they lie in: each piece has one of its own.
    const bytes = Buffer.allocUnsafeSlow(chunkBytes);
    const read = await file.read(bytes, 0, bytes.length, position);
    if (read.bytesRead === 0) return;
    await arrivals.fill(entriesAtOnce);
    const { packets, length } = records.read(bytes.subarray(0, read.bytesRead), position, entriesAtOnce);
    if (packets.length === 0) throw new DamagedFileError(`${path} ends inside a record, at byte ${position}`);
    position += length;
    yield { packets, bytesRead: position };
  }
}
