import assert from 'node:assert/strict';
import { mkdtemp, open, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { crc32 } from 'node:zlib';
import { blockHeaderLength, blockKind, parseSegmentFile, segmentHeaderLength } from './segment-format.ts';
import { SegmentLog } from './segment-log.ts';
import { SegmentReader } from './segment-reader.ts';
import type { Block } from './segment-reader.ts';
import { SegmentStore } from './segment-store.ts';

const session = '019abcde-0000-7000-8000-000000000001';

/** Seeded, so that a failure can be repeated. */
const randomFrom = (seed: number) => {
  let state = seed;

  return (below: number): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;

    return state % below;
  };
};

type Written = {
  readonly segments: string;
  readonly path: string;
  readonly bytes: Buffer;
  readonly payloads: readonly Buffer[];
};

/** A log in a folder of its own; `closed` is the segment that it closed last. */
const openLog = async (
  t: TestContext,
  epoch: number,
  segmentBytes: number,
): Promise<{
  readonly segments: string;
  readonly log: SegmentLog;
  readonly closed: { path: string };
}> => {
  const segments = await mkdtemp(join(tmpdir(), 'segments-'));
  t.after(() => rm(segments, { recursive: true, force: true }));
  const closed = { path: '' };
  const log = await SegmentLog.open({
    segments,
    worker: 0,
    epoch,
    segmentBytes,
    monotonicNs: () => 1_000_000_000,
    wallMs: () => 1_700_000_000_000,
    onClosed: ({ path }) => void (closed.path = path),
    onTrouble: assert.fail,
    onRecovered: assert.fail,
  });

  return { segments, log, closed };
};

/** A segment with two streams, 20 blocks and some clocks. */
const writeSegment = async (t: TestContext): Promise<Written> => {
  const { log, segments, closed } = await openLog(t, 7, 1_000_000);
  const streams = [log.stream(session, 0), log.stream(session, 1)];
  const payloads = Array.from({ length: 20 }, (_, i) => Buffer.alloc(40 + 11 * i, i + 1));
  for (const [i, payload] of payloads.entries()) {
    assert.ok(log.append(streams[i % 2]!, payload));
    if (i % 5 === 0) log.anchor();
    await log.flush();
  }
  await log.close();

  const { path } = closed;

  return { segments, path, bytes: await readFile(path), payloads };
};

const scan = (path: string): { blocks: Block[]; lostBytes: number } => {
  const name = parseSegmentFile(path.split('/').at(-1) ?? '');
  assert.ok(name);
  using reader = SegmentReader.open(path, { worker: 0, ...name });
  const blocks: Block[] = [];
  const damage = reader.scan((block) => blocks.push({ ...block, payload: Buffer.from(block.payload) }));

  return { blocks, lostBytes: damage.reduce((sum, { bytes }) => sum + bytes, 0) };
};

const media = (blocks: readonly Block[]): readonly Buffer[] =>
  blocks.filter(({ kind }) => kind === blockKind.media).map(({ payload }) => payload);

/** The blocks that end at or before `at`, and where the last of them does. */
const wholeBefore = (blocks: readonly Block[], at: number) => {
  const whole = blocks.filter(
    ({ offset, payloadLength }) => offset + blockHeaderLength + payloadLength <= at,
  );
  const last = whole.at(-1);

  return {
    whole,
    end: last ? last.offset + blockHeaderLength + last.payloadLength : segmentHeaderLength,
  };
};

test('a segment cut at any byte keeps every whole block before the cut, and says what it cut', async (t) => {
  const { path, bytes, payloads } = await writeSegment(t);
  const { blocks } = scan(path);
  assert.deepEqual(media(blocks), payloads);
  for (let cut = bytes.length - 1; cut >= 0; cut--) {
    await truncate(path, cut);
    const read = scan(path);
    const { whole, end } = wholeBefore(blocks, cut);
    assert.deepEqual(read.blocks, whole, `cut at ${cut}`);
    assert.equal(read.lostBytes, Math.max(0, cut - end), `cut at ${cut}`);
  }
});

test('pages of zeros at the end, as a loss of power leaves them, cost the blocks they lie on, and are told', async (t) => {
  const { path, bytes } = await writeSegment(t);
  const { blocks } = scan(path);
  for (let from = segmentHeaderLength; from < bytes.length; from += 7) {
    await writeFile(path, Buffer.concat([bytes.subarray(0, from), Buffer.alloc(8_192)]));
    const read = scan(path);
    const { whole, end } = wholeBefore(blocks, from);
    assert.deepEqual(read.blocks, whole, `zeros from ${from}`);
    assert.equal(read.lostBytes, from + 8_192 - end, `zeros from ${from}`);
  }
});

test('a flipped bit costs at most the block it hits; nothing else is lost and nothing invented', async (t) => {
  const { path, bytes, payloads } = await writeSegment(t);
  const { blocks } = scan(path);
  const random = randomFrom(4);
  const known = new Set(payloads.map((payload) => payload.toString('hex')));
  const file = await open(path, 'r+');
  t.after(() => file.close());
  for (let i = 0; i < 1_500; i++) {
    const at = random(bytes.length);
    await file.write(Buffer.of(bytes[at]! ^ (1 << random(8))), 0, 1, at);
    const read = scan(path);
    await file.write(bytes, at, 1, at);
    const hit = blocks.filter(({ offset }) => offset <= at).at(-1);
    const inBlock = hit !== undefined && at >= segmentHeaderLength;
    assert.equal(read.blocks.length, inBlock ? blocks.length - 1 : blocks.length, `flip at ${at}`);
    assert.ok(
      media(read.blocks).every((payload) => known.has(payload.toString('hex'))),
      `flip at ${at}`,
    );
  }
});

test('a damaged header costs nothing: name and clock blocks hold the same', async (t) => {
  const { segments, path, bytes } = await writeSegment(t);
  await writeFile(
    path,
    Buffer.concat([Buffer.alloc(segmentHeaderLength), bytes.subarray(segmentHeaderLength)]),
  );
  using store = new SegmentStore(segments);
  const reader = store.reader(0, 1);
  assert.equal(reader?.firstClock?.epoch, 7n);
  assert.equal(store.scan().sessions.get(session)?.get(1)?.length, 10);
});

test('what a caller sends can never pass for a block, not even where a block is damaged', async (t) => {
  const { path, bytes } = await writeSegment(t);
  const { blocks } = scan(path);
  // The image of a whole block from another segment stands where this segment is damaged.
  const other = await writeSegment(t);
  const image = other.bytes.subarray(segmentHeaderLength, segmentHeaderLength + 200);
  const target = blocks.at(-1);
  assert.ok(target && target.payloadLength >= image.length);
  const hostile = Buffer.from(bytes);
  hostile.fill(0xee, target.offset, target.offset + blockHeaderLength);
  image.copy(hostile, target.offset + blockHeaderLength);
  await writeFile(path, hostile);
  assert.equal(scan(path).blocks.length, blocks.length - 1);
});

test('runs that were laid where they are to be stay there, and close up over one that is not kept', async (t) => {
  const { log, closed } = await openLog(t, 1, 10_000_000);
  const streams = [log.stream(session, 0), log.stream(session, 1)];
  const kept: Buffer[] = [];
  for (let drain = 0; drain < 40; drain++) {
    // As a packet source does it, until what fits the place is full.
    const { bytes, at, gap, seed } = log.place(100_000);
    let to = at;
    const runs = Array.from({ length: 7 }, (_, i) => {
      const from = to + gap;
      to = from + 100 + 37 * i + drain;
      bytes.fill(16 * drain + i, from, to);

      return { from, to, stream: streams[i % 2]!, crc: crc32(bytes.subarray(from, to), seed) | 0 };
    });
    for (const [i, run] of runs.entries()) {
      if ((drain + i) % 5 === 4) continue;
      // Some lose packets on the way: their checksum doesn't hold any more.
      const shorter = (drain + i) % 5 === 3 ? 20 : 0;
      kept.push(Buffer.from(bytes.subarray(run.from, run.to - shorter)));
      const crc = shorter > 0 ? undefined : run.crc;
      assert.ok(log.append(run.stream, bytes, run.from, run.to - shorter, crc));
    }
    // Others bring their own bytes.
    kept.push(Buffer.alloc(50, drain));
    assert.ok(log.append(streams[0]!, Buffer.alloc(50, drain)));
    if (drain % 7 === 0) await log.flush();
  }
  await log.close();
  const { blocks, lostBytes } = scan(closed.path);
  assert.equal(lostBytes, 0);
  assert.deepEqual(media(blocks), kept);
});

test('a stream is found again by walking back from its last block, over segments', async (t) => {
  const segments = await mkdtemp(join(tmpdir(), 'segments-'));
  t.after(() => rm(segments, { recursive: true, force: true }));
  const closed: string[] = [];
  const log = await SegmentLog.open({
    segments,
    worker: 0,
    epoch: 1,
    segmentBytes: 2_000,
    monotonicNs: () => 5,
    wallMs: () => 5,
    onClosed: ({ path }) => closed.push(path),
    onTrouble: assert.fail,
    onRecovered: assert.fail,
  });
  const [stream, other] = [log.stream(session, 0), log.stream(session, 1)];
  let written = 0;
  for (; closed.length < 3 && written < 2_000; written++) {
    log.append(stream, Buffer.alloc(100, written));
    log.append(other, Buffer.alloc(100, 0xff));
    await log.flush();
  }
  using store = new SegmentStore(segments);
  const chain = store.chain({ worker: 0, ...stream.head });
  assert.deepEqual(
    chain?.map((place) => store.block(place)?.payload[0]),
    Array.from({ length: written }, (_, i) => i & 0xff),
  );
  await log.close();
});
