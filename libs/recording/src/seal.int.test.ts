import assert from 'node:assert/strict';
import { mkdir, mkdtemp, open, readdir, readFile, rename, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { formatSource, frameHeaderLength, frameKind, writeFrameHeader } from '@reelstream/rtp';
import type { FrameKind } from '@reelstream/rtp';
import { readManifest, readRtpdump } from './reader.ts';
import { recoverRecordings } from './recover.ts';
import { sealRecording } from './seal.ts';
import { SegmentLog } from './segment-log.ts';
import { SegmentStore } from './segment-store.ts';
import { readIndex } from './track-index.ts';

const session = '019abcde-0000-7000-8000-000000000001';
const startMs = Date.parse('2025-11-25T10:00:00.000Z');

type Bench = {
  readonly folder: string;
  readonly segments: string;
  readonly recording: string;
  readonly request: Parameters<typeof sealRecording>[0];
  /** Opens a log whose clock says `ms` since the start of the session. */
  openLog(epoch: number): Promise<SegmentLog>;
  at(ms: number): void;
};

const openBench = async (t: TestContext): Promise<Bench> => {
  const folder = await mkdtemp(join(tmpdir(), 'seal-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const segments = join(folder, 'segments');
  let nowMs = 0;

  return {
    folder,
    segments,
    recording: join(folder, 'recordings', '2025/11/25', session),
    request: {
      recordings: join(folder, 'recordings'),
      segments,
      sessionId: session,
      home: 'capture-1',
      host: 'host-1',
      startedAt: new Date(startMs).toISOString(),
      sealedAt: '2025-11-25T11:00:00.000Z',
      tracks: [
        { trackNumber: 0, mediaType: 'audio', codecs: [{ payloadType: 0, codec: 'PCMU', clockRate: 8_000 }] },
      ],
    },
    at: (ms) => {
      nowMs = ms;
    },
    openLog: (epoch) =>
      SegmentLog.open({
        segments,
        worker: 0,
        epoch,
        segmentBytes: 1_000_000,
        monotonicNs: () => 777e9 + nowMs * 1e6,
        wallMs: () => startMs + nowMs,
        onClosed: () => undefined,
        onTrouble: assert.fail,
        onRecovered: assert.fail,
      }),
  };
};

const frame = (kind: FrameKind, body: Buffer, ms: number): Buffer => {
  const bytes = Buffer.alloc(frameHeaderLength + body.length);
  writeFrameHeader(bytes, 0, { kind, length: body.length, arrivalNs: 777e9 + ms * 1e6, slot: 1 });
  body.copy(bytes, frameHeaderLength);

  return bytes;
};

const packet = (sequence: number): Buffer => {
  const bytes = Buffer.alloc(172, sequence);
  bytes.writeUInt16BE(0x8000, 0);
  bytes.writeUInt16BE(sequence, 2);
  bytes.writeUInt32BE(sequence * 160, 4);
  bytes.writeUInt32BE(99, 8);

  return bytes;
};

const source = formatSource('192.0.2.7', 4_000);

/** A run of packets, 20 ms apart, that arrive when their number says. */
const run = (from: number, to: number): Buffer =>
  Buffer.concat([
    frame(frameKind.rtpSource, source, from * 20),
    ...Array.from({ length: to - from }, (_, i) => frame(frameKind.rtp, packet(from + i), (from + i) * 20)),
  ]);

test('a sealed folder says what it holds: packets, losses, gaps, clocks, senders', async (t) => {
  const bench = await openBench(t);
  const log = await bench.openLog(1);
  const stream = log.stream(session, 0);
  log.append(stream, run(5, 10));
  log.append(stream, run(10, 15));
  bench.at(1_000);
  log.anchor();
  const rtcp = [
    frame(frameKind.rtcpSource, formatSource('192.0.2.7', 4_001), 605),
    frame(frameKind.rtcp, Buffer.from([0x80, 200, 0, 0]), 605),
  ];
  // RTCP was drained after RTP, but came before some of it.
  log.append(stream, Buffer.concat([run(30, 35), ...rtcp]));
  await log.flush();
  const manifest = sealRecording(bench.request, [{ trackNumber: 0, worker: 0, ...stream.head }]);
  await log.close();

  assert.deepEqual(await readManifest(bench.recording), manifest);
  const [track] = manifest.tracks;
  assert.deepEqual(
    [
      track?.packets,
      track?.rtcpPackets,
      track?.lost,
      track?.firstPacketAt,
      track?.durationMs,
      track?.jitterMs,
    ],
    [15, 1, 15, '2025-11-25T10:00:00.100Z', 580, 0],
  );
  assert.deepEqual(track?.gaps, [{ fromMs: 300, durationMs: 300, cause: 'loss' }]);
  assert.deepEqual(track?.spans, [
    { ssrc: 99, payloadType: 0, fromMs: 100, toMs: 680, packets: 15, ptimeMs: 20 },
  ]);
  assert.deepEqual(track?.sources, ['192.0.2.7:4000', '192.0.2.7:4001']);
  assert.deepEqual(manifest.clock, [
    { offsetNs: 0, wallNs: String(BigInt(startMs) * 1_000_000n) },
    { offsetNs: 1e9, wallNs: String(BigInt(startMs + 1_000) * 1_000_000n) },
  ]);
  assert.deepEqual((await readdir(bench.recording)).toSorted(), [
    'manifest.json',
    'track-0.index',
    'track-0.rtpdump',
  ]);

  const offsets: string[] = [];
  for await (const { channel, offsetMs } of readRtpdump(join(bench.recording, 'track-0.rtpdump'))) {
    offsets.push(`${channel} ${offsetMs}`);
  }
  assert.deepEqual(offsets.slice(9, 13), ['rtp 280', 'rtp 600', 'rtcp 605', 'rtp 620']);
  const index = await readIndex(join(bench.recording, 'track-0.index'));
  const dump = await readFile(join(bench.recording, 'track-0.rtpdump'));
  for (const { position, length, arrivalNs } of index) {
    assert.equal(dump.readUInt16BE(position), length + 8);
    assert.equal(dump.readUInt32BE(position + 4), Math.floor(arrivalNs / 1e6));
  }
});

test('the rtpdump file begins as rtptools and Wireshark expect it', async (t) => {
  const bench = await openBench(t);
  const log = await bench.openLog(1);
  const stream = log.stream(session, 0);
  log.append(stream, run(0, 1));
  await log.flush();
  sealRecording(bench.request, [{ trackNumber: 0, worker: 0, ...stream.head }]);
  await log.close();
  const line = Buffer.from('#!rtpplay1.0 192.0.2.7/4000\n');
  const header = Buffer.alloc(16);
  header.writeUInt32BE(startMs / 1_000, 0);
  Buffer.from([192, 0, 2, 7]).copy(header, 8);
  header.writeUInt16BE(4_000, 12);
  const record = Buffer.from([0, 180, 0, 172, 0, 0, 0, 0]);
  assert.deepEqual(
    await readFile(join(bench.recording, 'track-0.rtpdump')),
    Buffer.concat([line, header, record, packet(0)]),
  );
});

test('a broken chain is mended by a search: only the damaged block is missing, and the manifest says so', async (t) => {
  const bench = await openBench(t);
  const log = await bench.openLog(1);
  const stream = log.stream(session, 0);
  const heads: number[] = [];
  for (let i = 0; i < 10; i++) {
    log.append(stream, run(i * 5, i * 5 + 5));
    heads.push(stream.head.offset);
  }
  await log.close();
  using store = new SegmentStore(bench.segments);
  const file = await open(store.names[0]!.path, 'r+');
  await file.write(Buffer.from('?'), 0, 1, heads[4]! + 200);
  await file.close();
  const manifest = sealRecording(bench.request, [{ trackNumber: 0, worker: 0, ...stream.head }]);
  assert.equal(manifest.tracks[0]?.packets, 45);
  assert.equal(manifest.tracks[0]?.lost, 5);
  assert.equal(manifest.damage?.length, 1);
});

test('a segment that can not be opened is told as damage, and is none that may be removed', async (t) => {
  const bench = await openBench(t);
  for (const epoch of [1, 2]) {
    const log = await bench.openLog(epoch);
    log.append(log.stream(session, 0), run(epoch * 50, epoch * 50 + 10));
    await log.close();
  }
  using store = new SegmentStore(bench.segments);
  const [first = '', second = ''] = store.names.map(({ path }) => path);
  await rename(first, `${first}.aside`);
  await symlink(first, first);
  const { recordings, segments } = recoverRecordings(bench.segments, [first, second], [bench.request]);
  assert.deepEqual(
    segments.map(({ path }) => path),
    [second],
  );
  const [recovered] = recordings;
  assert.ok(recovered?.ok);
  assert.equal(recovered.manifest.tracks[0]?.packets, 10);
  assert.deepEqual(recovered.manifest.damage, [`${first}: it can't be opened`]);
});

test('sealing that can not begin holds no file open, however often it is tried', async (t) => {
  const bench = await openBench(t);
  await mkdir(join(bench.recording, '.track-0.index.part'), { recursive: true });
  const openFiles = async (): Promise<number> => (await readdir('/proc/self/fd')).length;
  const before = await openFiles();
  for (let attempt = 0; attempt < 5; attempt++)
    assert.throws(() => sealRecording(bench.request, []), { code: 'RECORDING_SEAL' });
  assert.equal(await openFiles(), before);
});

test('a session that went on in a second life has one recording, and the hole in it is told as an interruption', async (t) => {
  const bench = await openBench(t);
  for (const [epoch, from] of [
    [1, 0],
    [2, 100],
  ] as const) {
    bench.at(from * 20);
    const log = await bench.openLog(epoch);
    log.append(log.stream(session, 0), run(from, from + 50));
    await log.close();
  }
  using store = new SegmentStore(bench.segments);
  const paths = store.names.map(({ path }) => path);
  const { recordings } = recoverRecordings(bench.segments, paths, [bench.request]);
  const [recovered] = recordings;
  assert.ok(recovered?.ok);
  const [track] = recovered.manifest.tracks;
  assert.equal(recovered.manifest.recovered, true);
  assert.deepEqual([track?.packets, track?.lost], [100, 50]);
  assert.deepEqual(track?.gaps, [{ fromMs: 980, durationMs: 1_020, cause: 'interrupted' }]);
});

test('a session that goes on is sealed from where each of its lives ended, and says when its home was away', async (t) => {
  const bench = await openBench(t);
  const lives = [
    { epoch: 1, from: 0 },
    { epoch: 2, from: 100 },
  ];
  for (const { epoch, from } of lives) {
    bench.at(from * 20);
    const log = await bench.openLog(epoch);
    const stream = log.stream(session, 0);
    for (const at of [from, from + 25]) log.append(stream, run(at, at + 25));
    await log.close();
  }
  using store = new SegmentStore(bench.segments);
  const paths = store.names.map(({ path }) => path);
  const { heads, recordings } = recoverRecordings(bench.segments, paths, [], [session]);
  assert.deepEqual(recordings, []);
  const earlier = heads.get(session) ?? [];
  assert.equal(earlier.length, 2);
  bench.at(20_000);
  const log = await bench.openLog(3);
  const stream = log.stream(session, 0);
  log.append(stream, run(1_000, 1_050));
  await log.flush();
  // The sender was silent from 3 to 20 s, and its home away for two of them.
  const interruptions = [
    { fromMs: 1_000, durationMs: 800 },
    { fromMs: 10_000, durationMs: 2_000 },
  ];
  const request = { ...bench.request, interruptions };
  const manifest = sealRecording(request, [...earlier, { trackNumber: 0, worker: 0, ...stream.head }]);
  await log.close();
  const [track] = manifest.tracks;
  assert.deepEqual([track?.packets, manifest.recovered, manifest.damage], [150, undefined, undefined]);
  assert.deepEqual(manifest.interruptions, interruptions);
  assert.deepEqual(track?.gaps, [
    { fromMs: 980, durationMs: 1_020, cause: 'interrupted' },
    { fromMs: 10_000, durationMs: 2_000, cause: 'interrupted' },
  ]);
});

test('an rtpdump file cut at any byte yields what is whole and then says that it is damaged', async (t) => {
  const bench = await openBench(t);
  const log = await bench.openLog(1);
  const stream = log.stream(session, 0);
  log.append(stream, run(0, 2));
  await log.flush();
  sealRecording(bench.request, [{ trackNumber: 0, worker: 0, ...stream.head }]);
  await log.close();
  const path = join(bench.recording, 'track-0.rtpdump');
  const { length } = await readFile(path);
  const start = length - 2 * 180;
  const file = await open(path, 'r+');
  t.after(() => file.close());
  for (let cut = length - 1; cut >= 0; cut--) {
    await file.truncate(cut);
    const whole = Math.max(0, Math.floor((cut - start) / 180));
    let read = 0;
    const reading = (async () => {
      for await (const { packet: bytes } of readRtpdump(path)) assert.deepEqual(bytes, packet(read++));
    })();
    if (cut >= start && (cut - start) % 180 === 0) await reading;
    else await assert.rejects(reading, { code: 'RECORDING_DAMAGED' }, `cut at ${cut}`);
    assert.equal(read, whole, `cut at ${cut}`);
  }
});

test('a folder without a manifest is not sealed; one with a broken manifest is damaged', async (t) => {
  const bench = await openBench(t);
  await assert.rejects(readManifest(bench.recording), { code: 'RECORDING_NOT_SEALED' });
  sealRecording(bench.request, []);
  const file = await open(join(bench.recording, 'manifest.json'), 'r+');
  await file.truncate(100);
  await file.close();
  await assert.rejects(readManifest(bench.recording), { code: 'RECORDING_DAMAGED' });
  assert.equal(sealRecording(bench.request, []).tracks[0]?.packets, 0);
});
