import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatSource, frameHeaderLength, frameKind, walkFrames, writeFrameHeader } from './packet-batch.ts';
import type { FrameKind } from './packet-batch.ts';
import { FrameEditor, transformed } from './packet-transform.ts';

type Frame = readonly [FrameKind, Buffer];

const runOf = (frames: readonly Frame[]): Buffer => {
  const run = Buffer.alloc(frames.reduce((sum, [, body]) => sum + frameHeaderLength + body.length, 0));
  let at = 0;
  for (const [index, [kind, body]] of frames.entries()) {
    writeFrameHeader(run, at, { kind, length: body.length, arrivalNs: index, slot: 7 });
    at += frameHeaderLength + body.copy(run, at + frameHeaderLength);
  }

  return run;
};

const framesIn = (run: Buffer): Frame[] => {
  const found: Frame[] = [];
  const end = walkFrames(run, (kind, _arrivalNs, at, length) =>
    found.push([kind, Buffer.from(run.subarray(at, at + length))]),
  );
  assert.equal(end, run.length);

  return found;
};

const a = formatSource('192.0.2.1', 4_000);
const b = formatSource('2001:db8::2', 5_000);
const { rtp, rtcp, rtpSource, rtcpSource } = frameKind;
const packet = (fill: number, length = 20): Buffer => Buffer.alloc(length, fill);

test('a run that is not changed stays as it is', () => {
  const frames = [
    [rtpSource, a],
    [rtp, packet(1)],
    [rtcpSource, b],
    [rtcp, packet(2)],
    [rtp, packet(3)],
  ] as const;
  const run = runOf(frames);
  const before = Buffer.from(run);
  assert.deepEqual(
    new FrameEditor().edit(run, (_kind, _at, _from, length) => length),
    before,
  );
});

test('a source is named before the first packet of it that is kept, and not where none is', () => {
  const run = runOf([
    [rtpSource, a],
    [rtp, packet(1)],
    [rtp, packet(2)],
    [rtpSource, b],
    [rtp, packet(3)],
    [rtcpSource, b],
    [rtcp, packet(4)],
    [rtpSource, a],
    [rtp, packet(5)],
  ]);
  const kept = new FrameEditor().edit(run, (_kind, _arrivalNs, at, length) =>
    [2, 4, 5].includes(run[at]!) ? length : -1,
  );
  assert.deepEqual(framesIn(kept), [
    [rtpSource, a],
    [rtp, packet(2)],
    [rtcpSource, b],
    [rtcp, packet(4)],
    [rtpSource, a],
    [rtp, packet(5)],
  ]);
});

test('a transform makes packets shorter, and those it refuses are counted and gone', () => {
  const run = runOf([
    [rtpSource, a],
    [rtp, packet(1)],
    [rtp, packet(2)],
    [rtcpSource, a],
    [rtcp, packet(3)],
    [rtp, packet(4)],
  ]);
  const seen: string[] = [];
  let rejected = 0;
  const transform = {
    unprotect: (bytes: Buffer, kind: 'rtp' | 'rtcp') => {
      seen.push(`${kind} ${bytes[0]}`);

      return bytes[0] === 2 ? undefined : Buffer.from(bytes.subarray(0, 10)).fill(bytes[0]! + 100);
    },
    protect: (bytes: Buffer) => bytes,
  };
  const kept = new FrameEditor().edit(
    run,
    transformed(run, transform, () => void rejected++),
  );
  assert.deepEqual(seen, ['rtp 1', 'rtp 2', 'rtcp 3', 'rtp 4']);
  assert.equal(rejected, 1);
  assert.deepEqual(framesIn(kept), [
    [rtpSource, a],
    [rtp, packet(101, 10)],
    [rtcpSource, a],
    [rtcp, packet(103, 10)],
    [rtp, packet(104, 10)],
  ]);
});
