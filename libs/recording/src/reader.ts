import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DamagedFileError, NotSealedError } from './errors.ts';
import { isManifest, manifestFault } from './manifest.ts';
import type { Manifest } from './manifest.ts';
import { manifestFile } from './paths.ts';
import { parseRtpdumpHeader, recordHeaderLength } from './rtpdump.ts';

/** One packet of a track, as it came. */
export type RecordedPacket = {
  readonly channel: 'rtp' | 'rtcp';
  /** Arrival since the start of the session, as the rtpdump has it; the index has nanoseconds. */
  readonly offsetMs: number;
  readonly packet: Uint8Array;
};

const parseManifest = (text: string, path: string): Manifest => {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new DamagedFileError(`${path} is not JSON`, { cause });
  }
  if (!isManifest(value))
    throw new DamagedFileError(`${path} is no manifest we know: ${manifestFault(value)}`);

  return value;
};

/** The manifest of a recording folder (absolute path). Throws NotSealedError, DamagedFileError. */
export const readManifest = async (folder: string): Promise<Manifest> => {
  const path = join(folder, manifestFile);
  const text = await readFile(path, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'ENOENT') throw new NotSealedError(`${folder} has no manifest`, { cause });
    throw cause;
  });

  return parseManifest(text, path);
};

/**
 * Every packet of an rtpdump file in order of arrival; RTCP is told by its zero plen. A file cut inside a record yields
 * what is whole and then throws DamagedFileError.
 */
export async function* readRtpdump(path: string): AsyncGenerator<RecordedPacket> {
  let rest: Buffer = Buffer.alloc(0);
  let position = 0;
  let started = false;
  for await (const chunk of createReadStream(path, { highWaterMark: 256 * 1024 }) as AsyncIterable<Buffer>) {
    const bytes = rest.length > 0 ? Buffer.concat([rest, chunk]) : chunk;
    let at = 0;
    if (!started) {
      const header = parseRtpdumpHeader(bytes);
      if (header === 'damaged') throw new DamagedFileError(`${path} is no rtpdump file`);
      started = header !== 'short';
      at = header === 'short' ? 0 : header.length;
    }
    while (started && bytes.length - at >= recordHeaderLength) {
      const length = bytes.readUInt16BE(at);
      if (length < recordHeaderLength)
        throw new DamagedFileError(`${path}: record of ${length} bytes at ${position + at}`);
      if (bytes.length - at < length) break;
      yield {
        channel: bytes.readUInt16BE(at + 2) === 0 ? 'rtcp' : 'rtp',
        offsetMs: bytes.readUInt32BE(at + 4),
        packet: bytes.subarray(at + recordHeaderLength, at + length),
      };
      at += length;
    }
    position += at;
    rest = bytes.subarray(at);
  }
  if (!started || rest.length > 0)
    throw new DamagedFileError(`${path} ends inside a record, at byte ${position}`);
}
