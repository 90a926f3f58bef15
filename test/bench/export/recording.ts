import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { freshId } from '@reelstream/events';
import { recordingFolder, SegmentLog, sealRecording } from '@reelstream/recording';
import type { Manifest } from '@reelstream/recording';
import { formatSource, frameHeaderLength, frameKind, writeFrameHeader } from '@reelstream/rtp';

const bootNs = 1_000_000_000_000;
const startedAt = '2026-11-23T07:00:00.000Z';
const packetSamples = 160;
const packetsASecond = 50;

const frame = (kind: 'rtp' | 'rtpSource', arrivalNs: number, body: Uint8Array): Buffer => {
  const bytes = Buffer.alloc(frameHeaderLength + body.length);
  writeFrameHeader(bytes, 0, { kind: frameKind[kind], length: body.length, arrivalNs, slot: 0 });
  bytes.set(body, frameHeaderLength);

  return bytes;
};

/** The packet that a leg sends as its n-th, by a clock that is off by `drift`. */
const packetOf = (codes: Uint8Array, n: number, drift: number): Buffer => {
  const header = Buffer.alloc(12);
  header[0] = 0x80;
  header.writeUInt16BE(n & 0xffff, 2);
  header.writeUInt32BE((n * packetSamples) >>> 0, 4);
  header.writeUInt32BE(7, 8);
  const from = (n * packetSamples) % (codes.length - packetSamples);
  const arrivalNs = bootNs + Math.round(n * 20_000_000 * (1 + drift));

  return frame('rtp', arrivalNs, Buffer.concat([header, codes.subarray(from, from + packetSamples)]));
};

export type Recorded = { readonly folder: string; readonly manifest: Manifest };

/** Records two legs of G.711 for so many seconds, as capture does but not in real time. */
export const recordLegs = async (
  root: string,
  legs: readonly Uint8Array[],
  seconds: number,
  drift: number,
): Promise<Recorded> => {
  const sessionId = freshId();
  const segments = join(root, 'segments', sessionId);
  const recordings = join(root, 'recordings');
  await mkdir(segments, { recursive: true });
  await mkdir(recordings, { recursive: true });
  let second = 0;
  const log = await SegmentLog.open({
    segments,
    worker: 0,
    epoch: 1,
    segmentBytes: 1 << 30,
    monotonicNs: () => bootNs + second * 1_000_000_000,
    wallMs: () => Date.parse(startedAt) + second * 1_000,
    onClosed: () => undefined,
    onTrouble: (error) => {
      throw error;
    },
    onRecovered: () => undefined,
  });
  const source = frame('rtpSource', bootNs, formatSource('127.0.0.1', 40_000));
  const streams = legs.map((_, leg) => log.stream(sessionId, leg));
  for (; second < seconds; second++) {
    for (const [leg, codes] of legs.entries()) {
      const packets = Array.from({ length: packetsASecond }, (_, i) =>
        packetOf(codes, second * packetsASecond + i, leg === 0 ? drift : -drift),
      );
      log.append(streams[leg]!, Buffer.concat([source, ...packets]));
    }
    if (second % 60 === 0) await log.flush();
  }
  await log.close();
  const codecs = [{ payloadType: 0, codec: 'PCMU', clockRate: 8_000 }];
  const manifest = sealRecording({
    recordings,
    segments,
    sessionId,
    home: 'bench',
    host: 'bench',
    startedAt,
    sealedAt: startedAt,
    tracks: legs.map((_, trackNumber) => ({ trackNumber, mediaType: 'audio', codecs })),
  });

  return { folder: join(recordings, recordingFolder(sessionId)), manifest };
};
