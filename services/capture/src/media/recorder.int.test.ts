import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { createSocket } from 'node:dgram';
import type { Socket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { freshId } from '@reelstream/events';
import { readIndex, readManifest, readRtpdump, recordingFolder } from '@reelstream/recording';
import { kindOfPacket } from '@reelstream/rtp';
import { openRecorder } from './index.ts';
import type { Recorder, RecorderEvent, RecorderOptions, TrackPorts } from './types.ts';

const host = '127.0.0.1';

/** A range of its own for each test, below the default one of a running system. */
const portsFor = (test: number) => ({ first: 15_000 + test * 100, last: 15_000 + test * 100 + 59 });

const waitFor = async (what: string, condition: () => boolean | Promise<boolean>): Promise<void> => {
  for (const deadline = performance.now() + 30_000; performance.now() < deadline; await pause(10)) {
    if (await condition()) return;
  }
  assert.fail(`${what}: not within 30 s`);
};

type Box = {
  readonly recorder: Recorder;
  readonly events: RecorderEvent[];
  readonly options: RecorderOptions;
};

const openBox = async (
  t: TestContext,
  number: number,
  changes: Partial<RecorderOptions> = {},
): Promise<Box> => {
  const folder = await mkdtemp(join(tmpdir(), 'recorder-'));
  const events: RecorderEvent[] = [];
  const options = {
    captureDir: join(folder, 'capture'),
    recordingsDir: join(folder, 'recordings'),
    ports: portsFor(number),
    capacity: 20,
    nodeId: 'capture-1',
    hostId: 'host-1',
    epoch: 1,
    listener: (event: RecorderEvent) => void events.push(event),
    ...changes,
  };
  const recorder = await openRecorder(options);
  t.after(async () => {
    await recorder.close();
    await rm(folder, { recursive: true, force: true });
  });

  return { recorder, events, options };
};

const packetOf = (ssrc: number, sequence: number, payloadType = 0, length = 160): Buffer => {
  const packet = Buffer.alloc(12 + length, (sequence * 7) & 0xff);
  packet.writeUInt8(0x80, 0);
  packet.writeUInt8(payloadType, 1);
  packet.writeUInt16BE(sequence & 0xffff, 2);
  packet.writeUInt32BE((sequence * 160) >>> 0, 4);
  packet.writeUInt32BE(ssrc, 8);

  return packet;
};

const senderReport = Buffer.concat([Buffer.from([0x80, 200, 0, 6]), Buffer.alloc(24, 1)]);

const openCaller = async (t: TestContext): Promise<Socket> => {
  const socket = createSocket('udp4').bind(0, host);
  await once(socket, 'listening');
  t.after(() => socket.close());

  return socket;
};

const send = (socket: Socket, packet: Buffer, port: number): Promise<void> =>
  new Promise((resolve, reject) => {
    socket.send(packet, port, host, (error) => (error ? reject(error) : resolve()));
  });

const codecs = [{ payloadType: 0, codec: 'PCMU', clockRate: 8_000 }];
const twoTracks = [
  { trackNumber: 0, mediaType: 'audio' },
  { trackNumber: 1, mediaType: 'audio' },
] as const;
const describe = (startedAt: string) => ({
  startedAt,
  tracks: twoTracks.map((track) => ({ ...track, codecs })),
});

const allocate = async (recorder: Recorder, sessionId: string): Promise<readonly TrackPorts[]> => {
  const allocation = await recorder.allocate(sessionId, twoTracks, host);
  assert.ok(allocation.ok, 'detail' in allocation ? allocation.detail : '');

  return allocation.tracks;
};

const packetsIn = async (path: string): Promise<{ rtp: Buffer[]; rtcp: Buffer[] }> => {
  const found = { rtp: [] as Buffer[], rtcp: [] as Buffer[] };
  for await (const { channel, packet } of readRtpdump(path)) found[channel].push(Buffer.from(packet));

  return found;
};

test('a sealed recording holds exactly the packets that were sent, with hashes that fit', async (t) => {
  const { recorder, events, options } = await openBox(t, 0, { workers: 2 });
  await allocate(recorder, freshId());
  const sessionId = freshId();
  const startedAt = new Date().toISOString();
  const tracks = await allocate(recorder, sessionId);
  assert.ok(tracks.every(({ rtpPort, rtcpPort }) => rtpPort % 2 === 0 && rtcpPort === rtpPort + 1));
  const caller = await openCaller(t);
  const sent = tracks.map(({ trackNumber }) =>
    Array.from({ length: 60 }, (_, i) => packetOf(1_000 + trackNumber, 65_500 + i, 0, 100 + i)).filter(
      (_, i) => trackNumber === 0 || i !== 30,
    ),
  );
  for (const [i, { rtpPort, rtcpPort }] of tracks.entries()) {
    for (const packet of sent[i] ?? []) await send(caller, packet, rtpPort);
    await send(caller, senderReport, rtcpPort);
    await send(caller, Buffer.from('neither'), rtpPort);
  }
  await waitFor('both tracks heard', () => events.filter(({ kind }) => kind === 'media').length === 2);

  const figures = await recorder.release(sessionId);
  assert.deepEqual(
    figures.map(({ trackNumber, packets, lost, rtcpPackets, malformed, dropped }) => ({
      trackNumber,
      packets,
      lost,
      rtcpPackets,
      malformed,
      dropped,
    })),
    [
      { trackNumber: 0, packets: 60, lost: 0, rtcpPackets: 1, malformed: 1, dropped: 0 },
      { trackNumber: 1, packets: 59, lost: 1, rtcpPackets: 1, malformed: 1, dropped: 0 },
    ],
  );
  const manifest = await recorder.seal(sessionId, describe(startedAt));
  const folder = join(options.recordingsDir, recordingFolder(sessionId));
  assert.deepEqual(await readManifest(folder), manifest);
  for (const { name, sha256, sizeBytes } of manifest.files) {
    const bytes = await readFile(join(folder, name));
    assert.equal(bytes.length, sizeBytes);
    assert.equal(createHash('sha256').update(bytes).digest('hex'), sha256);
  }
  for (const { trackNumber } of tracks) {
    const { rtp, rtcp } = await packetsIn(join(folder, `track-${trackNumber}.rtpdump`));
    assert.deepEqual(rtp, sent[trackNumber]);
    assert.deepEqual(rtcp, [senderReport]);
    const index = await readIndex(join(folder, `track-${trackNumber}.index`));
    assert.equal(index.length, rtp.length + rtcp.length);
    assert.ok(index.every(({ source }) => source === `${host}:${caller.address().port}`));
  }
  assert.deepEqual(
    manifest.tracks.map(({ packets, lost }) => [packets, lost]),
    [
      [60, 0],
      [59, 1],
    ],
  );
  assert.equal(recorder.load().streams, 2);
});

test('whatever is sent to a media port, the recording holds what was RTP or RTCP and counts the rest', async (t) => {
  const { recorder, options } = await openBox(t, 4);
  const sessionId = freshId();
  const startedAt = new Date().toISOString();
  const [track] = await allocate(recorder, sessionId);
  assert.ok(track);
  const caller = await openCaller(t);
  let state = 11;
  const random = (below: number): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;

    return Math.floor((state / 0x100000000) * below);
  };
  const sent = { rtp: [] as Buffer[], rtcp: [] as Buffer[], junk: 0 };
  const heard = () =>
    waitFor('all RTP', async () => (await recorder.stats(sessionId))[0]?.packets === sent.rtp.length);
  for (let i = 0; i < 400; i++) {
    const length = i % 50 === 0 ? 60_000 : random(40);
    const datagram = Buffer.from(Array.from({ length }, () => random(256)));
    if (length > 0 && i % 2 === 0) datagram[0] = 0x80 | (datagram[0]! & 0x3f);
    const kind = kindOfPacket(datagram);
    if (kind) sent[kind].push(datagram);
    else sent.junk++;
    await send(caller, datagram, track.rtpPort);
    // The kernel's buffer is small beside 60,000 bytes: let it be read empty.
    if (length > 40) await heard();
  }
  await heard();
  const [figures] = await recorder.release(sessionId);
  assert.deepEqual([figures?.malformed, figures?.dropped], [sent.junk, 0]);
  const manifest = await recorder.seal(sessionId, describe(startedAt));
  assert.ok(manifest.tracks.every(({ lost }) => lost >= 0));
  const path = join(options.recordingsDir, recordingFolder(sessionId), 'track-0.rtpdump');
  const { rtp, rtcp } = await packetsIn(path);
  assert.deepEqual(rtp, sent.rtp);
  assert.deepEqual(rtcp, sent.rtcp);
});

test('sealing again returns the manifest there is, and an unknown session is refused', async (t) => {
  const { recorder } = await openBox(t, 1);
  const sessionId = freshId();
  const startedAt = new Date().toISOString();
  await allocate(recorder, sessionId);
  const manifest = await recorder.seal(sessionId, describe(startedAt));
  assert.deepEqual(
    manifest.tracks.map(({ packets }) => packets),
    [0, 0],
  );
  await assert.rejects(recorder.seal(sessionId, describe(startedAt)), { code: 'RECORDING_SEAL' });
  const recovered = await recorder.recover([{ sessionId, description: describe(startedAt) }]);
  assert.deepEqual(recovered, [{ sessionId, ok: true, manifest }]);
});

test('ports that are all in use, too many streams and foreign addresses are refused by name', async (t) => {
  const ports = { first: 15_201, last: 15_205 };
  const { recorder } = await openBox(t, 2, { ports, capacity: 3 });
  assert.equal(recorder.load().freePorts, 2);
  const other = createSocket('udp4').bind(15_204, host);
  await once(other, 'listening');
  t.after(() => other.close());
  const refused = await recorder.allocate(freshId(), twoTracks, host);
  assert.equal(!refused.ok && refused.refusal, 'no-ports');
  assert.deepEqual(recorder.load(), { streams: 0, capacity: 3, freePorts: 2 });

  const tracks = [0, 1, 2, 3].map((trackNumber) => ({ trackNumber, mediaType: 'audio' }) as const);
  const full = await recorder.allocate(freshId(), tracks, host);
  assert.equal(!full.ok && full.refusal, 'no-capacity');
  const foreign = await recorder.allocate(freshId(), tracks.slice(0, 1), '203.0.113.9');
  assert.equal(!foreign.ok && foreign.refusal, 'bad-address');
  const exact = { trackNumber: 0, mediaType: 'audio', rtpPort: 15_202 } as const;
  const allocated = await recorder.allocate(freshId(), [exact], host);
  assert.equal(allocated.ok && allocated.tracks[0]?.rtpPort, 15_202);
});

test('segments go once every session in them is sealed or discarded', async (t) => {
  const { recorder, options } = await openBox(t, 3, { segmentBytes: 20_000 });
  const segments = async () => readdir(join(options.captureDir, 'segments', 'worker-0'));
  const [long, short] = [freshId(), freshId()];
  const startedAt = new Date().toISOString();
  const longTracks = await allocate(recorder, long);
  const shortTracks = await allocate(recorder, short);
  const caller = await openCaller(t);
  let sequence = 0;
  const talk = async () => {
    sequence++;
    for (const { rtpPort } of [...longTracks, ...shortTracks]) {
      for (let i = 0; i < 5; i++) await send(caller, packetOf(rtpPort, sequence * 5 + i), rtpPort);
    }
  };
  await waitFor('several segments', async () => {
    await talk();

    return (await segments()).length >= 4;
  });
  const manifest = await recorder.seal(short, describe(startedAt));
  assert.ok((manifest.tracks[0]?.packets ?? 0) > 0);
  assert.ok((await segments()).length >= 4, 'the long session still needs them');
  await recorder.discard(long);
  await waitFor('closed segments removed', async () => (await segments()).length <= 2);
});
