import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { freshId } from '@reelstream/events';
import { readRtpdump, recordingFolder } from '@reelstream/recording';
import { waitFor } from '@reelstream/testing';
import { openRecorder } from './index.ts';
import type { Allocation } from './types.ts';

const host = '127.0.0.1';
const script = fileURLToPath(new URL('./recorder-process.fixture.ts', import.meta.url));

const packetOf = (ssrc: number, sequence: number): Buffer => {
  const packet = Buffer.alloc(172, sequence & 0xff);
  packet.writeUInt16BE(0x8000, 0);
  packet.writeUInt16BE(sequence, 2);
  packet.writeUInt32BE(sequence * 160, 4);
  packet.writeUInt32BE(ssrc, 8);

  return packet;
};

test(
  'after a SIGKILL everything but the last second is recovered, byte for byte',
  { timeout: 60_000 },
  async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'crash-'));
    t.after(() => rm(folder, { recursive: true, force: true }));
    const sessionId = freshId();
    const startedAt = new Date().toISOString();
    const options = {
      captureDir: join(folder, 'capture'),
      recordingsDir: join(folder, 'recordings'),
      ports: { first: 15_900, last: 15_959 },
      capacity: 10,
      nodeId: 'capture-1',
      hostId: 'host-1',
    };
    const argument = JSON.stringify({ ...options, epoch: 1, sessionId });
    const child = spawn(process.execPath, [script, argument], { stdio: ['ignore', 'pipe', 'inherit'] });
    t.after(() => child.kill('SIGKILL'));
    const [line] = (await once(createInterface(child.stdout), 'line')) as [string];
    const allocation = JSON.parse(line) as Allocation;
    assert.ok(allocation.ok);

    const caller = createSocket('udp4').bind(0, host);
    await once(caller, 'listening');
    t.after(() => caller.close());
    const sent: { readonly packet: Buffer; readonly atMs: number }[][] = [[], []];
    for (let i = 0; i < 100; i++) {
      for (const { trackNumber, rtpPort } of allocation.tracks) {
        const packet = packetOf(50 + trackNumber, i);
        sent[trackNumber]?.push({ packet, atMs: performance.now() });
        caller.send(packet, rtpPort, host);
      }
      await pause(20);
    }
    child.kill('SIGKILL');
    const killedAtMs = performance.now();
    await once(child, 'exit');

    const recorder = await openRecorder({
      ...options,
      epoch: 2,
      listener: ({ kind }) => assert.equal(kind, 'seals'),
    });
    t.after(() => recorder.close());
    const codecs = [{ payloadType: 0, codec: 'PCMU', clockRate: 8_000 }];
    const tracks = [0, 1].map((trackNumber) => ({ trackNumber, mediaType: 'audio' as const, codecs }));
    const [recovered] = await recorder.recover([{ sessionId, description: { startedAt, tracks } }]);
    assert.ok(recovered?.ok);
    assert.equal(recovered.manifest.recovered, true);
    for (const { trackNumber, packets, lost } of recovered.manifest.tracks) {
      const kept: Buffer[] = [];
      const path = join(options.recordingsDir, recordingFolder(sessionId), `track-${trackNumber}.rtpdump`);
      for await (const { packet } of readRtpdump(path)) kept.push(Buffer.from(packet));
      const expected = sent[trackNumber] ?? [];
      assert.deepEqual(
        kept,
        expected.slice(0, kept.length).map(({ packet }) => packet),
      );
      const due = expected.filter(({ atMs }) => atMs < killedAtMs - 1_000).length;
      assert.ok(kept.length >= due, `${kept.length} packets kept, ${due} were older than a second`);
      assert.deepEqual([packets, lost], [kept.length, 0]);
    }
    const segments = join(options.captureDir, 'segments', 'worker-0');
    await waitFor(
      async () => (await readdir(segments)).every((name) => !name.startsWith('00000001-')) || undefined,
      { deadlineMs: 30_000, describe: 'the old segment, which is not needed any more, is still there' },
    );
  },
);
