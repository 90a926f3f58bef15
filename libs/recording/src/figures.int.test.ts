import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { env } from 'node:process';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { promisify } from 'node:util';
import { formatSource, frameHeaderLength, frameKind, writeFrameHeader } from '@reelstream/rtp';
import type { FrameKind } from '@reelstream/rtp';
import { debianPackages } from '@reelstream/testing';
import type { ManifestTrack } from './manifest.ts';
import { sealRecording } from './seal.ts';
import { SegmentLog } from './segment-log.ts';

const sessionId = '019abcde-0000-7000-8000-000000000001';
const startMs = Date.parse('2025-11-25T10:00:00.000Z');
const port = 4_000;

type Sent = { readonly ms: number; readonly packet: Buffer; readonly kind?: FrameKind };

/** Repeatable noise, from 0 to 1. */
const noise = (seed: number) => () => {
  seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;

  return seed / 0x100000000;
};

const rtp = (
  ssrc: number,
  sequence: number,
  payloadType: number,
  timestamp: number,
  marker = false,
): Buffer => {
  const bytes = Buffer.alloc(172, sequence);
  bytes.set([0x80, payloadType | (marker ? 0x80 : 0)]);
  bytes.writeUInt16BE(sequence & 0xffff, 2);
  bytes.writeUInt32BE(timestamp >>> 0, 4);
  bytes.writeUInt32BE(ssrc, 8);

  return bytes;
};

/** Seals what came on track 0, and returns what the manifest says of it. */
const seal = async (
  t: TestContext,
  sent: readonly Sent[],
  codecs: ManifestTrack['codecs'] = [],
): Promise<ManifestTrack> => {
  const folder = await mkdtemp(join(tmpdir(), 'figures-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const segments = join(folder, 'segments');
  const log = await SegmentLog.open({
    segments,
    worker: 0,
    epoch: 1,
    segmentBytes: 1e9,
    monotonicNs: () => 777e9,
    wallMs: () => startMs,
    onClosed: () => undefined,
    onTrouble: assert.fail,
    onRecovered: assert.fail,
  });
  const stream = log.stream(sessionId, 0);
  const source = formatSource('192.0.2.7', port);
  for (const { ms, packet, kind = frameKind.rtp } of sent) {
    const run = Buffer.alloc(2 * frameHeaderLength + source.length + packet.length);
    const named = kind === frameKind.rtp ? frameKind.rtpSource : frameKind.rtcpSource;
    const arrivalNs = 777e9 + Math.round(ms * 1e6);
    writeFrameHeader(run, 0, { kind: named, length: source.length, arrivalNs, slot: 1 });
    const at = frameHeaderLength + source.copy(run, frameHeaderLength);
    writeFrameHeader(run, at, { kind, length: packet.length, arrivalNs, slot: 1 });
    packet.copy(run, at + frameHeaderLength);
    assert.ok(log.append(stream, run));
  }
  await log.flush();
  await log.close();
  const manifest = sealRecording(
    {
      recordings: join(folder, 'recordings'),
      segments,
      sessionId,
      home: 'capture-1',
      host: 'host-1',
      startedAt: new Date(startMs).toISOString(),
      sealedAt: '2025-11-25T11:00:00.000Z',
      tracks: [{ trackNumber: 0, mediaType: 'audio', codecs }],
    },
    [{ trackNumber: 0, worker: 0, ...stream.head }],
  );
  const [track] = manifest.tracks;
  assert.ok(track);

  return track;
};

/** A capture with nanoseconds: Ethernet, IPv4 and UDP around each packet. */
const pcapOf = (sent: readonly Sent[]): Buffer => {
  const header = Buffer.alloc(24);
  header.writeUInt32LE(0xa1b23c4d, 0);
  header.set([2, 0, 4, 0], 4);
  header.writeUInt32LE(65_535, 16);
  header.writeUInt32LE(1, 20);
  const records = sent.map(({ ms, packet }) => {
    const record = Buffer.alloc(16 + 42 + packet.length);
    const ns = Math.round(ms * 1e6);
    record.writeUInt32LE(startMs / 1_000 + Math.floor(ns / 1e9), 0);
    record.writeUInt32LE(ns % 1e9, 4);
    record.writeUInt32LE(42 + packet.length, 8);
    record.writeUInt32LE(42 + packet.length, 12);
    record.set([0x08, 0x00, 0x45], 16 + 12);
    record.writeUInt16BE(28 + packet.length, 16 + 16);
    record.set([64, 17, 0, 0, 192, 0, 2, 7, 192, 0, 2, 9], 16 + 22);
    record.writeUInt16BE(port, 16 + 34);
    record.writeUInt16BE(port, 16 + 36);
    record.writeUInt16BE(8 + packet.length, 16 + 38);
    packet.copy(record, 16 + 42);

    return record;
  });

  return Buffer.concat([header, ...records]);
};

type Analysis = {
  readonly packets: number;
  readonly lost: number;
  readonly mean: number;
  readonly max: number;
};

/** What tshark's RTP analysis says of the same packets, by SSRC. */
const analyse = async (t: TestContext, sent: readonly Sent[]): Promise<ReadonlyMap<number, Analysis>> => {
  const folder = await mkdtemp(join(tmpdir(), 'tshark-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const file = join(folder, 'sent.pcap');
  await writeFile(file, pcapOf(sent));
  const tshark = await debianPackages('tshark');
  const { command, root } = { command: tshark.command('tshark'), root: tshark.root };
  const options = ['-r', file, '-d', `udp.port==${port},rtp`, '-q', '-z', 'rtp,streams'];
  const { stdout } = await promisify(execFile)(command.file, options, {
    env: { ...env, ...command.env, HOME: folder, WIRESHARK_DATA_DIR: join(root, 'usr/share/wireshark') },
  });
  const found = new Map<number, Analysis>();
  for (const line of stdout.split('\n')) {
    const match =
      /0x([0-9A-F]{8})\s+.*?(\d+)\s+(-?\d+) \(-?[\d.]+%\)\s+[\d.]+\s+[\d.]+\s+[\d.]+\s+[\d.]+\s+([\d.]+)\s+([\d.]+)/i.exec(
        line,
      );
    if (!match) continue;
    const [, ssrc, packets, lost, mean, max] = match;
    found.set(Number.parseInt(ssrc ?? '', 16), {
      packets: Number(packets),
      lost: Number(lost),
      mean: Number(mean),
      max: Number(max),
    });
  }
  assert.ok(found.size > 0, stdout);

  return found;
};

const near = (ours: number | undefined, theirs: number, what: string): void =>
  assert.ok(
    ours !== undefined && Math.abs(ours - theirs) <= 0.02 + 0.01 * theirs,
    `${what}: ${ours} here, ${theirs} there`,
  );

/** 60 s of G.711 that arrive unevenly, over a wrap of both counters; some never do, in threes and by themselves. */
const lossy = (seed: number): Sent[] => {
  const random = noise(seed);

  return Array.from({ length: 3_000 }, (_, n) => ({
    ms: 100 + n * 20 + random() * 15,
    packet: rtp(0xabcd1234, 64_000 + n, 0, 0xffff0000 + n * 160),
  })).filter((_, n) => n === 0 || !(n % 97 === 50 || n % 211 < 3));
};

test('loss and jitter are those that tshark finds in the same packets', async (t) => {
  for (const seed of [1, 2]) {
    const sent = lossy(seed);
    const [track, analysis] = await Promise.all([seal(t, sent), analyse(t, sent)]);
    const theirs = analysis.get(0xabcd1234);
    assert.ok(theirs && track.figures);
    assert.equal(track.packets, theirs.packets);
    assert.equal(track.lost, theirs.lost);
    assert.equal(track.figures.missing, theirs.lost);
    near(track.figures.jitterMeanMs, theirs.mean, 'mean jitter');
    near(track.figures.jitterMaxMs, theirs.max, 'highest jitter');
    assert.ok(track.figures.mos && track.figures.mos > 3.5 && track.figures.mos < 4.3);
  }
});

test('duplicates count as tshark counts them, and are told apart from losses beside', async (t) => {
  const sent = lossy(3).flatMap((packet, n) =>
    n % 50 === 20 ? [packet, { ...packet, ms: packet.ms + 0.1 }] : [packet],
  );
  const [track, analysis] = await Promise.all([seal(t, sent), analyse(t, sent)]);
  const theirs = analysis.get(0xabcd1234);
  assert.ok(theirs && track.figures);
  assert.equal(track.lost, Math.max(0, theirs.lost));
  assert.equal(track.figures.duplicates, sent.length - lossy(3).length);
  assert.equal(track.figures.missing, theirs.lost + track.figures.duplicates);
});

test('reordered packets are no loss, here or there', async (t) => {
  const sent = lossy(4);
  for (let n = 10; n + 1 < sent.length; n += 40) {
    const [one, other] = [sent[n]!, sent[n + 1]!];
    sent[n] = { ...other, ms: one.ms };
    sent[n + 1] = { ...one, ms: other.ms };
  }
  const [track, analysis] = await Promise.all([seal(t, sent), analyse(t, sent)]);
  const theirs = analysis.get(0xabcd1234);
  assert.ok(theirs && track.figures);
  assert.equal(track.lost, theirs.lost);
  assert.ok(track.figures.reordered >= Math.floor(sent.length / 40) - 2, String(track.figures.reordered));
});

test('each SSRC is accounted for by itself', async (t) => {
  const one = lossy(5);
  const other = lossy(6).map(({ ms, packet }) => {
    const copy = Buffer.from(packet);
    copy.writeUInt32BE(7, 8);

    return { ms: ms + 61_000, packet: copy };
  });
  const sent = [...one, ...other];
  const [track, analysis] = await Promise.all([seal(t, sent), analyse(t, sent)]);
  const lost = (analysis.get(0xabcd1234)?.lost ?? 0) + (analysis.get(7)?.lost ?? 0);
  assert.equal(track.lost, lost);
  assert.equal(track.figures?.ssrcChanges, 1);
  near(track.figures?.jitterMeanMs, analysis.get(7)?.mean ?? 0, 'mean jitter of the last');
});

test('the manifest says what senders said of their clocks, and how long packets lasted', async (t) => {
  const senderReport = Buffer.alloc(28);
  senderReport.set([0x80, 200, 0, 6]);
  senderReport.writeUInt32BE(7, 4);
  senderReport.writeUInt32BE(startMs / 1_000 + 2_208_988_800 + 1, 8);
  senderReport.writeUInt32BE(0x40000000, 12);
  senderReport.writeUInt32BE(8_000, 16);
  const sent: Sent[] = [
    ...Array.from({ length: 50 }, (_, n) => ({ ms: n * 20, packet: rtp(7, n, 96, n * 320) })),
    { ms: 1_000.5, packet: senderReport, kind: frameKind.rtcp },
    ...Array.from({ length: 50 }, (_, n) => ({
      ms: 1_001 + n * 40,
      packet: rtp(7, 50 + n, 96, 16_000 + n * 640),
    })),
  ];
  const codecs = [{ payloadType: 96, codec: 'L16', clockRate: 16_000, channels: 1 }];
  const track = await seal(t, sent, codecs);
  assert.deepEqual(track.senderReports, [
    { ssrc: 7, atMs: 1_000.5, wallNs: `${startMs + 1_250}000000`, timestamp: 8_000 },
  ]);
  assert.deepEqual(
    track.spans.map(({ payloadType, ptimeMs }) => [payloadType, ptimeMs]),
    [
      [96, 20],
      [96, 40],
    ],
  );
  assert.equal(track.figures?.rtcpPackets, 1);
  assert.equal(track.figures?.mos, undefined);
});
