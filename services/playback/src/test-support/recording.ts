import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { freshId } from '@reelstream/events';
import { recordingFolder, SegmentLog, sealRecording } from '@reelstream/recording';
import type { Codec, Manifest } from '@reelstream/recording';
import { formatSource, frameHeaderLength, frameKind, writeFrameHeader } from '@reelstream/rtp';
import type { FrameKind } from '@reelstream/rtp';

export type SentPacket = { readonly atMs: number; readonly packet: Uint8Array };
export type RecordedTrack = {
  readonly codecs: readonly Codec[];
  readonly packets: readonly SentPacket[];
  readonly mediaType?: 'audio' | 'video';
};

export type RtpFields = {
  readonly payloadType: number;
  readonly sequence: number;
  readonly timestamp: number;
  readonly ssrc?: number;
};

export const rtp = (
  { payloadType, sequence, timestamp, ssrc = 1 }: RtpFields,
  payload: Uint8Array,
): Buffer => {
  const header = Buffer.alloc(12);
  header[0] = 0x80;
  header[1] = payloadType;
  header.writeUInt16BE(sequence & 0xffff, 2);
  header.writeUInt32BE(timestamp >>> 0, 4);
  header.writeUInt32BE(ssrc, 8);

  return Buffer.concat([header, payload]);
};

/** G.711 codes in packets of 20 ms, the first at `fromMs`, sequence numbers and timestamps about to wrap. */
export const talk = (payloadType: number, codes: Uint8Array, fromMs: number): SentPacket[] =>
  Array.from({ length: Math.ceil(codes.length / 160) }, (_, n) => ({
    atMs: fromMs + n * 20,
    packet: rtp(
      { payloadType, sequence: 0xfff0 + n, timestamp: 0xffff_f000 + n * 160 },
      codes.subarray(n * 160, (n + 1) * 160),
    ),
  }));

const secondNs = 1_000_000_000;
const bootNs = 1_000 * secondNs;
const startedAt = '2026-11-23T07:00:00.000Z';

const frame = (kind: FrameKind, arrivalNs: number, body: Uint8Array): Buffer => {
  const header = Buffer.alloc(frameHeaderLength);
  writeFrameHeader(header, 0, { kind, length: body.length, arrivalNs, slot: 0 });

  return Buffer.concat([header, body]);
};

export type RecordOptions = {
  /** What the wall clock shows over the true time at a moment of the session, in ms: it may be set at any time. */
  readonly wallErrorMs?: (atMs: number) => number;
};

/** Packets that are appended at a time, as capture's beat does. */
const blockMs = 1_000;

const source = frame(frameKind.rtpSource, bootNs, formatSource('127.0.0.1', 40_000));

/** The frames of a track by the block they belong to. */
const blocksOf = (packets: readonly SentPacket[]): ReadonlyMap<number, readonly Buffer[]> => {
  const blocks = new Map<number, Buffer[]>();
  for (const { atMs, packet } of packets) {
    const kind = packet[1]! >= 192 && packet[1]! <= 223 ? frameKind.rtcp : frameKind.rtp;
    const block = Math.floor(atMs / blockMs);
    const frames = blocks.get(block) ?? [];
    if (frames.length === 0) blocks.set(block, frames);
    frames.push(frame(kind, bootNs + Math.round(atMs * 1_000_000), packet));
  }

  return blocks;
};

/** Appends all tracks to a segment log, second by second, with the clocks as they were then. */
const appendAll = async (
  segments: string,
  sessionId: string,
  tracks: readonly RecordedTrack[],
  { wallErrorMs = () => 0 }: RecordOptions,
): Promise<void> => {
  let nowMs = 0;
  const log = await SegmentLog.open({
    segments,
    worker: 0,
    epoch: 1,
    segmentBytes: 1 << 30,
    monotonicNs: () => bootNs + nowMs * 1_000_000,
    wallMs: () => Date.parse(startedAt) + nowMs + wallErrorMs(nowMs),
    onClosed: () => undefined,
    onTrouble: (error) => {
      throw error;
    },
    onRecovered: () => undefined,
  });
  const streams = tracks.map(({ packets }, index) => ({
    blocks: blocksOf(packets),
    stream: log.stream(sessionId, index + 1),
  }));
  const times = new Set(streams.flatMap(({ blocks }) => [...blocks.keys()]));
  for (const block of [...times].toSorted((a, b) => a - b)) {
    nowMs = block * blockMs;
    log.anchor();
    for (const { blocks, stream } of streams) {
      const frames = blocks.get(block);
      if (frames) log.append(stream, Buffer.concat([source, ...frames]));
    }
    if (block % 60 === 0) await log.flush();
  }
  await log.close();
};

/** Records and seals a session as capture does it, by the recording library's own segment log. */
export const record = async (
  root: string,
  tracks: readonly RecordedTrack[],
  options: RecordOptions = {},
): Promise<{ readonly sessionId: string; readonly folder: string; readonly manifest: Manifest }> => {
  const sessionId = freshId();
  const segments = join(root, 'capture', sessionId);
  const recordings = join(root, 'recordings');
  await mkdir(segments, { recursive: true });
  await mkdir(recordings, { recursive: true });
  await appendAll(segments, sessionId, tracks, options);
  const manifest = sealRecording({
    recordings,
    segments,
    sessionId,
    home: 'capture-1',
    host: 'box',
    startedAt,
    sealedAt: startedAt,
    tracks: tracks.map(({ codecs, mediaType = 'audio' }, index) => ({
      trackNumber: index + 1,
      mediaType,
      codecs,
    })),
  });

  return { sessionId, folder: join(recordings, recordingFolder(sessionId)), manifest };
};
