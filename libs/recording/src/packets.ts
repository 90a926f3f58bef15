import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { indexFile, rtpdumpFile } from './paths.ts';
import { readRtpdump } from './reader.ts';
import { indexEntryLength, indexMagic } from './track-index.ts';

/** One packet of a track with its arrival in full precision. */
export type TrackPacket = {
  readonly channel: 'rtp' | 'rtcp';
  /** Since the start of the session. */
  readonly arrivalNs: number;
  readonly packet: Uint8Array;
  /** Bytes of the rtpdump file read by now, this packet included. */
  readonly bytesRead: number;
};

const entriesAtOnce = 4_096;
const recordHeader = 8;

type Arrival = { readonly ns: number; readonly position: number };

/** Arrival and position of one entry after the other, as long as there are any. */
async function* arrivals(path: string): AsyncGenerator<Arrival, undefined> {
  const file = await open(path, 'r').catch(() => undefined);
  if (!file) return undefined;
  try {
    const bytes = Buffer.alloc(entriesAtOnce * indexEntryLength);
    for (let at = indexMagic.length; ;) {
      const { bytesRead } = await file.read(bytes, 0, bytes.length, at);
      const count = Math.floor(bytesRead / indexEntryLength);
      for (let i = 0; i < count; i++) {
        const from = i * indexEntryLength;
        yield { ns: Number(bytes.readBigUInt64LE(from)), position: Number(bytes.readBigUInt64LE(from + 8)) };
      }
      if (count === 0) return undefined;
      at += count * indexEntryLength;
    }
  } finally {
    await file.close();
  }
}

/**
 * Every packet of a track in order of arrival, with bounded memory. Where the index is missing or doesn't fit, arrivals
 * are the rtpdump's own, in milliseconds. Throws as readRtpdump does.
 */
export async function* readTrackPackets(folder: string, trackNumber: number): AsyncGenerator<TrackPacket> {
  const index = arrivals(join(folder, indexFile(trackNumber)));
  let next: number | undefined;
  let fits = true;
  try {
    for await (const { channel, offsetMs, packet } of readRtpdump(join(folder, rtpdumpFile(trackNumber)))) {
      const found: Arrival | undefined = fits ? (await index.next()).value : undefined;
      const position: number = next ?? found?.position ?? 0;
      // An index of other packets is none: the offset must agree, and so must the place in the file.
      fits &&= found?.position === position && Math.abs(found.ns / 1e6 - offsetMs) < 2;
      next = position + recordHeader + packet.length;
      const arrivalNs = fits && found ? found.ns : offsetMs * 1e6;
      yield { channel, arrivalNs, packet, bytesRead: next };
    }
  } finally {
    await index.return(undefined);
  }
}
