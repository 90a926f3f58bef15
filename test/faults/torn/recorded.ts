import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RawEvent } from '@reelstream/events';
import { openJournal, SegmentLog } from '@reelstream/recording';
import { formatSource, frameHeaderLength, frameKind, writeFrameHeader } from '@reelstream/rtp';
import type { FrameKind } from '@reelstream/rtp';

const streams = 4;
const beats = 40;
const beatMs = 100;
export const packetsOfBeat = 5;
const packetMs = beatMs / packetsOfBeat;
/** How much of the end is cut, in beats and events. */
const lastBeats = 10;
const events = 60;
const lastEvents = 30;
const source = formatSource('192.0.2.7', 4_000);

/** Four seconds of four streams of G.711 in one segment, and the journal of one of their sessions. */
export type Recorded = AsyncDisposable & {
  readonly folder: string;
  readonly segments: string;
  readonly segment: string;
  readonly segmentBytes: Buffer;
  /** Where the last second of the segment begins. */
  readonly lastSecond: number;
  readonly sessionIds: readonly string[];
  readonly packetsOfStream: number;
  readonly journalFolder: string;
  readonly journalBytes: Buffer;
  readonly lastEvents: number;
};

/** Says by its bytes which it is: of what stream, and which in it. */
export const packetOf = (stream: number, place: number): Buffer => {
  const packet = Buffer.alloc(172, (stream * 31 + place) & 0xff);
  packet.writeUInt16BE(0x8000, 0);
  packet.writeUInt16BE(place, 2);
  packet.writeUInt32BE(place * 160, 4);
  packet.writeUInt32BE(stream + 1, 8);

  return packet;
};

const runOf = (stream: number, beat: number): Buffer => {
  const frame = (kind: FrameKind, bytes: Buffer, place: number): Buffer => {
    const header = Buffer.alloc(frameHeaderLength);
    const arrivalNs = 1e9 + place * packetMs * 1e6;
    writeFrameHeader(header, 0, { kind, length: bytes.length, arrivalNs, slot: 1 });

    return Buffer.concat([header, bytes]);
  };
  const first = beat * packetsOfBeat;

  return Buffer.concat([
    frame(frameKind.rtpSource, source, first),
    ...Array.from({ length: packetsOfBeat }, (_, at) =>
      frame(frameKind.rtp, packetOf(stream, first + at), first + at),
    ),
  ]);
};

const eventOf = (sessionId: string, version: number): RawEvent => ({
  specversion: '1.0',
  id: `019abcde-0000-7000-8000-1000000000${String(version).padStart(2, '0')}`,
  type: 'session.updated',
  source: '/local/capture-1',
  subject: sessionId,
  time: '2025-11-25T00:00:00.000Z',
  origin: 'primary',
  version,
  epoch: 1,
  schema: 1,
  data: { text: `Zoë said "${version}"\n` },
});

export const record = async (): Promise<Recorded> => {
  const folder = await mkdtemp(join(tmpdir(), 'reelstream-torn-'));
  const segments = join(folder, 'segments');
  const sessionIds = Array.from({ length: streams }, (_, at) => `019abcde-0000-7000-8000-00000000000${at}`);
  let segment = '';
  let nowMs = 1_000;
  const refuse = (error: Error): never => {
    throw error;
  };
  const log = await SegmentLog.open({
    segments,
    worker: 0,
    epoch: 1,
    segmentBytes: 1e9,
    monotonicNs: () => nowMs * 1e6,
    wallMs: () => Date.parse('2025-11-25T00:00:00.000Z') + nowMs,
    onClosed: ({ path }) => (segment = path),
    onTrouble: refuse,
    onRecovered: () => undefined,
  });
  const open = sessionIds.map((sessionId) => log.stream(sessionId, 0));
  let lastSecond = 0;
  for (let beat = 0; beat < beats; beat++) {
    nowMs += beatMs;
    if (beat % (1_000 / beatMs) === 0) log.anchor();
    for (const [at, stream] of open.entries()) {
      log.append(stream, runOf(at, beat));
      if (at === 0 && beat === beats - lastBeats) lastSecond = stream.offset;
    }
    await log.flush();
  }
  await log.close();
  const journalFolder = join(folder, 'journal');
  const journal = await openJournal(journalFolder);
  for (let version = 1; version <= events; version++)
    await journal.append([eventOf(sessionIds[0]!, version)], { ports: [version] });
  await journal.close();

  return {
    folder,
    segments,
    segment,
    segmentBytes: await readFile(segment),
    lastSecond,
    sessionIds,
    packetsOfStream: beats * packetsOfBeat,
    journalFolder,
    journalBytes: await readFile(join(journalFolder, 'journal.ndjson')),
    lastEvents,
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
};
