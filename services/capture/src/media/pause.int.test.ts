import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { freshId } from '@reelstream/events';
import { waitFor } from '@reelstream/testing';
import { openRecorder } from './index.ts';
import type { Recorder } from './types.ts';

const host = '127.0.0.1';
const soon = (describe: string) => ({ deadlineMs: 30_000, describe });

/** What a caller says that must not be kept: no other packet here holds such a run. */
const secret = Buffer.alloc(160, 0xab);

/** A sender of one stream with its own numbers, as a phone is. */
const openSender = async (stack: AsyncDisposableStack, ssrc: number) => {
  const socket = createSocket('udp4').bind(0, host);
  await once(socket, 'listening');
  stack.defer(() => void socket.close());
  let sequence = 65_500;

  return async (port: number, payload: Buffer, count: number): Promise<void> => {
    for (let i = 0; i < count; i++) {
      const header = Buffer.alloc(12);
      header.writeUInt8(0x80, 0);
      header.writeUInt16BE(sequence & 0xffff, 2);
      header.writeUInt32BE((sequence * 160) >>> 0, 4);
      header.writeUInt32BE(ssrc, 8);
      sequence += 1;
      await new Promise<void>((resolve, reject) => {
        socket.send(Buffer.concat([header, payload]), port, host, (error) =>
          error ? reject(error) : resolve(),
        );
      });
    }
  };
};

const filesBelow = async (folder: string): Promise<Buffer[]> => {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });

  return Promise.all(
    entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => readFile(join(parentPath, name))),
  );
};

const seen = async (recorder: Recorder, sessionId: string, count: number): Promise<void> => {
  await waitFor(
    async () => {
      const figures = await recorder.stats(sessionId);

      return figures.reduce((sum, { packets, paused }) => sum + packets + paused, 0) >= count
        ? true
        : undefined;
    },
    soon(`${count} packets did not arrive`),
  );
};

test('what comes while a session is paused is counted, and is nowhere on the disk, on tracks that come later too', async () => {
  await using stack = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'pause-'));
  stack.defer(() => rm(folder, { recursive: true }));
  const recorder = await openRecorder({
    captureDir: join(folder, 'capture'),
    recordingsDir: join(folder, 'recordings'),
    ports: { first: 16_200, last: 16_259 },
    capacity: 20,
    nodeId: 'capture-1',
    hostId: 'host-1',
    epoch: 1,
    workers: 2,
    listener: () => undefined,
  });
  stack.defer(() => recorder.close());
  const sessionId = freshId();
  const portOf = async (trackNumber: number): Promise<number> => {
    const bound = await recorder.allocate(sessionId, [{ trackNumber, mediaType: 'audio' }], host);
    assert.ok(bound.ok);

    return bound.tracks[0]?.rtpPort ?? 0;
  };
  const startedMs = performance.now();
  const startedAt = new Date().toISOString();
  const sinceStart = (): number => performance.now() - startedMs;
  const [say, sayLater] = [await openSender(stack, 1), await openSender(stack, 2)];
  const first = await portOf(0);

  await say(first, Buffer.alloc(160, 1), 20);
  await recorder.pause(sessionId, true);
  const fromMs = sinceStart();
  const later = await portOf(1);
  await say(first, secret, 30);
  await sayLater(later, secret, 10);
  // Not waited for: what is unread at the end of the pause came during it.
  await recorder.pause(sessionId, false);
  const toMs = sinceStart();
  await say(first, Buffer.alloc(160, 2), 20);
  await sayLater(later, Buffer.alloc(160, 3), 5);
  await seen(recorder, sessionId, 85);

  // A paused session is not a silent one: what comes is heard of.
  const lastOf = async (): Promise<string> => (await recorder.stats(sessionId))[0]?.lastPacketAt ?? '';
  await recorder.pause(sessionId, true);
  const before = await lastOf();
  await say(first, secret, 5);
  await waitFor(async () => ((await lastOf()) > before ? true : undefined), soon('nothing was heard'));
  await recorder.pause(sessionId, false);
  const figures = await recorder.release(sessionId);
  assert.deepEqual(
    figures.map(({ trackNumber, packets, paused, lost, dropped }) => ({
      trackNumber,
      packets,
      paused,
      lost,
      dropped,
    })),
    [
      { trackNumber: 0, packets: 40, paused: 35, lost: 0, dropped: 0 },
      { trackNumber: 1, packets: 5, paused: 10, lost: 0, dropped: 0 },
    ],
  );
  const track = { mediaType: 'audio', codecs: [], pauses: [{ fromMs, toMs }] } as const;
  const tracks = [0, 1].map((trackNumber) => ({ trackNumber, ...track }));
  const manifest = await recorder.seal(sessionId, { startedAt, tracks });
  assert.deepEqual(
    manifest.tracks.map(({ packets, lost, gaps }) => ({
      packets,
      lost,
      causes: gaps.map((gap) => gap.cause),
    })),
    [
      { packets: 40, lost: 0, causes: ['paused'] },
      { packets: 5, lost: 0, causes: ['paused'] },
    ],
  );
  const [gap] = manifest.tracks[0]?.gaps ?? [];
  assert.ok(Math.abs((gap?.durationMs ?? 0) - (toMs - fromMs)) < 1);
  const files = await filesBelow(folder);
  assert.ok(files.some((bytes) => bytes.includes(Buffer.alloc(160, 2))));
  assert.ok(files.every((bytes) => !bytes.includes(secret.subarray(0, 16))));
});
