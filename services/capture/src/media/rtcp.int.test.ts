import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import type { RemoteInfo, Socket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { freshId } from '@reelstream/events';
import { readRtpdump, recordingFolder } from '@reelstream/recording';
import { MediaRelay } from '@reelstream/testing/callers';
import type { MediaTerms } from '../media-terms.ts';
import { openRecorder } from './index.ts';
import type { Recorder, RecorderEvent, RecorderOptions, TrackPorts } from './types.ts';

const host = '127.0.0.1';

const waitFor = async (what: string, condition: () => boolean | Promise<boolean>): Promise<void> => {
  for (const deadline = performance.now() + 30_000; performance.now() < deadline; await pause(10)) {
    if (await condition()) return;
  }
  assert.fail(`${what}: not within 30 s`);
};

/** A socket of a sender, and what comes back to it. */
class Peer {
  readonly socket: Socket;
  readonly received: { readonly packet: Buffer; readonly from: RemoteInfo }[] = [];

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on('message', (packet, from) => this.received.push({ packet, from }));
  }

  static async open(t: TestContext, address = host): Promise<Peer> {
    const socket = createSocket('udp4').bind(0, address);
    await once(socket, 'listening');
    t.after(() => socket.close());

    return new Peer(socket);
  }

  get port(): number {
    return this.socket.address().port;
  }

  send(packet: Buffer, port: number): Promise<void> {
    return new Promise((resolve, reject) => {
      this.socket.send(packet, port, host, (error) => (error ? reject(error) : resolve()));
    });
  }
}

type Box = {
  readonly recorder: Recorder;
  readonly events: RecorderEvent[];
  readonly sessionId: string;
  readonly track: TrackPorts;
  /** Seals, and gives the SSRCs and numbers of the packets that were kept. */
  kept(): Promise<readonly (readonly [number, number])[]>;
};

const codecs = {
  audio: [{ payloadType: 0, codec: 'PCMU', clockRate: 8_000 }],
  video: [{ payloadType: 97, codec: 'H264', clockRate: 90_000 }],
};

const openBox = async (
  t: TestContext,
  ports: number,
  mediaType: 'audio' | 'video' = 'audio',
  options: Partial<RecorderOptions> = {},
): Promise<Box> => {
  const folder = await mkdtemp(join(tmpdir(), 'rtcp-'));
  const events: RecorderEvent[] = [];
  const recordingsDir = join(folder, 'recordings');
  const recorder = await openRecorder({
    captureDir: join(folder, 'capture'),
    recordingsDir,
    ports: { first: ports, last: ports + 19 },
    capacity: 4,
    nodeId: 'capture-1',
    hostId: 'host-1',
    epoch: 1,
    listener: (event) => void events.push(event),
    ...options,
  });
  t.after(async () => {
    await recorder.close();
    await rm(folder, { recursive: true, force: true });
  });
  const sessionId = freshId();
  const allocation = await recorder.allocate(sessionId, [{ trackNumber: 0, mediaType }], host);
  assert.ok(allocation.ok);
  const [track] = allocation.tracks;
  assert.ok(track);
  const startedAt = new Date().toISOString();
  const kept = async (): Promise<readonly (readonly [number, number])[]> => {
    await recorder.seal(sessionId, {
      startedAt,
      tracks: [{ trackNumber: 0, mediaType, codecs: codecs[mediaType] }],
    });
    const found: [number, number][] = [];
    const dump = join(recordingsDir, recordingFolder(sessionId), 'track-0.rtpdump');
    for await (const { channel, packet } of readRtpdump(dump)) {
      const bytes = Buffer.from(packet);
      if (channel === 'rtp') found.push([bytes.readUInt32BE(8), bytes.readUInt16BE(2)]);
    }

    return found;
  };

  return { recorder, events, sessionId, track, kept };
};

/** Fast enough that reports come every second or so. */
const fast = { kbps: 8_000 };
const termsOf = (changes: Partial<MediaTerms> = {}): MediaTerms => ({
  remote: { address: '192.0.2.5', rtpPort: 4_000, rtcpAddress: '192.0.2.5', rtcpPort: 4_001 },
  rtcpMux: false,
  pli: false,
  fir: false,
  bandwidth: fast,
  ...changes,
});

const agree = ({ recorder, sessionId }: Box, terms: MediaTerms, mediaType: 'audio' | 'video' = 'audio') =>
  recorder.agree(sessionId, [{ trackNumber: 0, codecs: codecs[mediaType], terms }]);

const rtp = (
  ssrc: number,
  sequence: number,
  payload: Buffer = Buffer.alloc(160),
  payloadType = 0,
): Buffer => {
  const header = Buffer.alloc(12);
  header.set([0x80, payloadType]);
  header.writeUInt16BE(sequence & 0xffff, 2);
  header.writeUInt32BE((sequence * 160) >>> 0, 4);
  header.writeUInt32BE(ssrc, 8);

  return Buffer.concat([header, payload]);
};

const senderReport = (ssrc: number): Buffer => {
  const bytes = Buffer.alloc(28);
  bytes.set([0x80, 200, 0, 6]);
  bytes.writeUInt32BE(ssrc, 4);
  bytes.writeUInt32BE(0x00001234, 8);
  bytes.writeUInt32BE(0x56780000, 12);

  return bytes;
};

/** The packets of a compound: type, count and bytes of each. */
const packetsIn = (compound: Buffer): { type: number; count: number; bytes: Buffer }[] => {
  const found = [];
  for (let at = 0; at < compound.length;) {
    const length = 4 * (compound.readUInt16BE(at + 2) + 1);
    found.push({
      type: compound[at + 1]!,
      count: compound[at]! & 0x1f,
      bytes: compound.subarray(at, at + length),
    });
    at += length;
  }

  return found;
};

test('a sender hears how its media comes, from the port for RTCP, and BYE at the end', async (t) => {
  const box = await openBox(t, 14_000);
  const [media, control] = [await Peer.open(t), await Peer.open(t)];
  agree(box, termsOf());
  for (let n = 0; n < 20; n++) if (n !== 10) await media.send(rtp(7, n), box.track.rtpPort);
  await control.send(senderReport(7), box.track.rtcpPort);
  await waitFor('a report', () => control.received.length > 0);
  const [first] = control.received;
  assert.ok(first);
  assert.equal(first.from.port, box.track.rtcpPort);
  const [report, description] = packetsIn(first.packet);
  assert.deepEqual([report?.type, report?.count, description?.type], [201, 1, 202]);
  assert.equal(report?.bytes.readUInt32BE(8), 7);
  assert.equal(report?.bytes.readIntBE(13, 3), 1);
  assert.equal(report?.bytes.readUInt32BE(24), 0x12345678);
  assert.ok(description?.bytes.includes(box.sessionId));
  assert.equal(media.received.length, 0);
  const [figures] = await box.recorder.release(box.sessionId);
  await waitFor('BYE', () => control.received.some(({ packet }) => packetsIn(packet).at(-1)?.type === 203));
  assert.equal(figures?.figures?.missing, 1);
  assert.equal(figures?.figures?.rtcpPackets, 1);
});

test('with one port for both, reports go from it to where media come from', async (t) => {
  const box = await openBox(t, 14_020);
  const media = await Peer.open(t);
  agree(box, termsOf({ rtcpMux: true }));
  for (let n = 0; n < 5; n++) await media.send(rtp(7, n), box.track.rtpPort);
  await media.send(senderReport(7), box.track.rtpPort);
  await waitFor('a report', () => media.received.length > 0);
  assert.equal(media.received[0]?.from.port, box.track.rtpPort);
  const figures = await box.recorder.stats(box.sessionId);
  assert.equal(figures[0]?.figures?.rtcpPackets, 1);
});

test('who sends nothing is sent nothing, whatever a description says', async (t) => {
  const box = await openBox(t, 14_040);
  const [media, victim] = [await Peer.open(t), await Peer.open(t, '127.0.0.9')];
  const remote = {
    address: '127.0.0.9',
    rtpPort: victim.port,
    rtcpAddress: '127.0.0.9',
    rtcpPort: victim.port,
  };
  agree(box, termsOf({ remote }));
  for (let n = 0; n < 5; n++) await media.send(rtp(7, n), box.track.rtpPort);
  await box.recorder.release(box.sessionId);
  assert.equal(victim.received.length, 0);
});

test('media is taken from behind a NAT, and what strangers send to its port is counted and not kept', async (t) => {
  const box = await openBox(t, 14_060);
  const [media, stranger] = [await Peer.open(t), await Peer.open(t, '127.0.0.2')];
  agree(box, termsOf());
  for (let n = 0; n < 50; n++) {
    await media.send(rtp(7, n), box.track.rtpPort);
    if (n > 0) await stranger.send(rtp(666, n), box.track.rtpPort);
    await stranger.send(senderReport(666), box.track.rtcpPort);
  }
  const [figures] = await box.recorder.release(box.sessionId);
  assert.equal(figures?.packets, 50);
  assert.ok((figures?.figures?.strays ?? 0) >= 98, String(figures?.figures?.strays));
  const kept = await box.kept();
  assert.deepEqual([...new Set(kept.map(([ssrc]) => ssrc))], [7]);
  assert.equal(kept.length, 50);
});

test('a sender that goes on from another address is followed without a hole', async (t) => {
  const box = await openBox(t, 14_080);
  const [before, after] = [await Peer.open(t), await Peer.open(t, '127.0.0.3')];
  agree(box, termsOf());
  for (let n = 0; n < 20; n++) await before.send(rtp(7, n), box.track.rtpPort);
  await waitFor('the first ones', async () => (await box.recorder.stats(box.sessionId))[0]?.packets === 20);
  for (let n = 20; n < 40; n++) await after.send(rtp(7, n), box.track.rtpPort);
  const [figures] = await box.recorder.release(box.sessionId);
  assert.equal(figures?.packets, 40);
  assert.equal(figures?.figures?.sourceChanges, 1);
  assert.equal((await box.kept()).length, 40);
});

test('where the policy is strict, only the address that was described is let in', async (t) => {
  const box = await openBox(t, 14_100, 'audio', { sources: 'strict' });
  const [media, stranger] = [await Peer.open(t), await Peer.open(t, '127.0.0.2')];
  const remote = { address: host, rtpPort: 4_000, rtcpAddress: host, rtcpPort: 4_001 };
  agree(box, termsOf({ remote }));
  for (let n = 0; n < 10; n++) {
    await stranger.send(rtp(666, n), box.track.rtpPort);
    await media.send(rtp(7, n), box.track.rtpPort);
  }
  const [figures] = await box.recorder.release(box.sessionId);
  assert.equal(figures?.packets, 10);
  assert.equal(figures?.figures?.strays, 10);
});

const isPli = ({ packet }: { readonly packet: Buffer }): boolean =>
  packetsIn(packet).some(
    ({ type, count, bytes }) => type === 206 && count === 1 && bytes.readUInt32BE(8) === 9,
  );

test('a sender of video is asked for a picture at the start and after a loss, where it agreed to that', async (t) => {
  const box = await openBox(t, 14_120, 'video');
  const media = await Peer.open(t);
  const slice = Buffer.from([0x41, 1, 2, 3]);
  const key = Buffer.from([0x65, 1, 2, 3]);
  const requests = (): number => media.received.filter(isPli).length;
  agree(box, termsOf({ rtcpMux: true, pli: true, fir: true }), 'video');
  await media.send(rtp(9, 0, slice, 97), box.track.rtpPort);
  await waitFor('a request at the start', () => requests() > 0);
  await media.send(rtp(9, 1, key, 97), box.track.rtpPort);
  await waitFor('the key frame', async () => (await box.recorder.stats(box.sessionId))[0]?.packets === 2);
  const before = requests();
  await media.send(rtp(9, 5, slice, 97), box.track.rtpPort);
  await waitFor('a request after the loss', () => requests() > before);
});

test('which codec is used follows the payload types that come', async (t) => {
  const box = await openBox(t, 14_140);
  const media = await Peer.open(t);
  const both = [...codecs.audio, { payloadType: 8, codec: 'PCMA', clockRate: 8_000 }];
  box.recorder.agree(box.sessionId, [{ trackNumber: 0, codecs: both, terms: termsOf() }]);
  const spoken = (): string[] =>
    box.events.flatMap((event) => (event.kind === 'codec' ? [event.codec.codec] : []));
  await media.send(rtp(7, 0, undefined, 8), box.track.rtpPort);
  await waitFor('the first codec', () => spoken().length === 1);
  await media.send(rtp(7, 1), box.track.rtpPort);
  await waitFor('the second codec', () => spoken().length === 2);
  assert.deepEqual(spoken(), ['PCMA', 'PCMU']);
});

test('a NAT that maps the sender anew costs nothing, and reports find their way back through it', async (t) => {
  const box = await openBox(t, 14_160);
  const media = await Peer.open(t);
  using relay = await MediaRelay.open({ address: host, port: box.track.rtpPort }, '127.0.0.6');
  agree(box, termsOf({ rtcpMux: true }));
  const say = async (from: number): Promise<void> => {
    for (let n = from; n < from + 30; n++) await media.send(rtp(7, n), relay.port);
    await waitFor(
      'what was said',
      async () => (await box.recorder.stats(box.sessionId))[0]?.packets === from + 30,
    );
  };
  await say(0);
  await waitFor('a report', () => media.received.length > 0);
  await relay.move('127.0.0.7');
  await say(30);
  const before = media.received.length;
  await waitFor('a report through the new mapping', () => media.received.length > before);
  const [figures] = await box.recorder.release(box.sessionId);
  assert.deepEqual([figures?.figures?.sourceChanges, figures?.figures?.strays], [1, 0]);
  assert.equal((await box.kept()).length, 60);
});
