import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  formatSource,
  frameHeaderLength,
  frameKind,
  mediaFigures,
  PacedStreams,
  writeFrameHeader,
} from '@reelstream/rtp';
import type { FrameKind } from '@reelstream/rtp';
import { StreamIntake } from './stream-intake.ts';
import type { AgreedTrack } from './types.ts';

/** Seeded, so that a failure can be repeated. */
const randomFrom = (seed: number) => {
  let state = seed;

  return (below: number): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;

    return Math.floor((state / 0x100000000) * below);
  };
};

const slot = 3;
const agreed: AgreedTrack = {
  trackNumber: 0,
  terms: undefined,
  codecs: [
    { payloadType: 0, codec: 'PCMU', clockRate: 8_000, channels: 1 },
    { payloadType: 96, codec: 'opus', clockRate: 48_000, channels: 2 },
    { payloadType: 101, codec: 'telephone-event', clockRate: 8_000, channels: 1 },
  ],
};

const intakeFor = (mediaType: 'audio' | 'video', policy: 'follow' | 'strict' | 'any'): StreamIntake => {
  const random = randomFrom(1);
  const intake = new StreamIntake(new Map(), {
    paced: new PacedStreams(),
    slot,
    mediaType,
    policy,
    cname: 'cname',
    random: () => random(1_000) / 1_000,
  });
  intake.agree(agreed);

  return intake;
};

/** A sender that mostly goes on, and does everything else from time to time. */
const senderFrom = (random: (below: number) => number) => {
  const sources = [
    ['192.0.2.1', 4_000],
    ['2001:db8::2', 5_000],
    ['192.0.2.1', 4_002],
    ['2001:db8:7::2', 5_000],
    ['2001:db8::7', 5_000],
  ].map(([address, port]) => formatSource(address as string, port as number));
  const now = {
    source: random(2),
    ssrc: 0xfff0_0000,
    payloadType: 0,
    ticks: 160,
    arrivalNs: 5e9 + random(1e9),
  };
  let sequence = 0x10000 - random(0x200);
  let timestamp = random(0x100000000);

  const frame = (kind: FrameKind, body: Buffer): Buffer => {
    const bytes = Buffer.alloc(frameHeaderLength + body.length);
    writeFrameHeader(bytes, 0, { kind, length: body.length, arrivalNs: now.arrivalNs, slot });
    body.copy(bytes, frameHeaderLength);

    return bytes;
  };
  const rtp = (number: number, stamp: number): Buffer => {
    const body = Buffer.alloc(12 + random(200));
    body[0] = 0x80;
    body[1] = now.payloadType | (random(9) === 0 ? 0x80 : 0);
    body.writeUInt16BE(number & 0xffff, 2);
    body.writeUInt32BE(stamp % 0x100000000, 4);
    body.writeUInt32BE(now.ssrc >>> 0, 8);

    return frame(frameKind.rtp, body);
  };
  const odd: readonly (() => void)[] = [
    () => void (sequence += 1 + random(5)),
    () => void (sequence -= random(4)),
    () => void (sequence += random(0x10000)),
    () => void (timestamp += random(0x10000)),
    () => void (now.ssrc = 0xfff0_0000 + random(3)),
    () => void (now.payloadType = [0, 8, 96, 101, 77][random(5)]!),
    () => void (now.ticks = [160, 240, 960, 0, 90_000][random(5)]!),
    () => void (now.source = random(sources.length)),
    () => void (now.arrivalNs += random(5) * 1e9),
  ];

  /** A run of one to eight packets. */
  return (calm: number): Buffer => {
    const frames: Buffer[] = [];
    let named = -1;
    for (let i = random(8); i >= 0; i--) {
      if (random(calm) === 0) odd[random(odd.length)]!();
      if (named !== now.source) frames.push(frame(frameKind.rtpSource, sources[now.source]!));
      named = now.source;
      now.arrivalNs += 15e6 + random(10e6);
      sequence = (sequence + 1 + 0x10000) % 0x10000;
      timestamp += now.ticks;
      frames.push(rtp(sequence, timestamp));
      if (random(calm) === 0) {
        const report = Buffer.from([0x80, 201, 0, 1, 0xff, 0xf0, 0, 0]);
        frames.push(frame(frameKind.rtcpSource, sources[now.source]!), frame(frameKind.rtcp, report));
      }
    }

    return Buffer.concat(frames);
  };
};

const toldBy = (intake: StreamIntake) => {
  const { statistics, latch, control, unwanted } = intake;
  const { packets, bytes, rtcpPackets, firstNs, lastNs, lost, stretches, sources } = statistics;

  return {
    counts: { packets, bytes, rtcpPackets, firstNs, lastNs, lost, unwanted },
    stretches: [...stretches],
    sources: sources.map((source) => [
      source.ssrc,
      source.extendedHighest,
      source.received,
      source.meanJitter,
      source.highestJitter,
    ]),
    figures: mediaFigures(statistics, control, { codecs: intake.codecs }),
    latch: [latch.strays, latch.moves, latch.rtp, latch.rtcp],
    heard: statistics.heardSince((lastNs ?? 0) - 1e9).map(({ ssrc }) => ssrc),
  };
};

test('the quick way of runs that go on comes to the same as the rules, packet by packet', () => {
  let quick = 0;
  let all = 0;
  for (let seed = 1; seed <= 120; seed++) {
    const random = randomFrom(seed);
    const mediaType = random(4) === 0 ? 'video' : 'audio';
    const policy = (['follow', 'strict', 'any'] as const)[random(3)]!;
    const [slow, fast] = [intakeFor(mediaType, policy), intakeFor(mediaType, policy)];
    const nextRun = senderFrom(random);
    const calm = [15, 60, 400][random(3)]!;
    let paused = false;
    for (let i = 0; i < 150; i++) {
      const run = nextRun(calm);
      if (random(60) === 0) paused = !paused;
      if (random(90) === 0) for (const intake of [slow, fast]) intake.agree(agreed);
      const wanted = slow.take(Buffer.from(run), paused);
      const paced: boolean = !paused && fast.takePaced(run);
      const kept: Buffer = paced ? run : fast.take(run, paused);
      all++;
      if (paced) quick++;
      assert.deepEqual(kept, wanted, `seed ${seed}, run ${i}`);
      assert.equal(fast.taken, slow.taken);
      if (random(8) > 0) continue;
      const nowNs = slow.statistics.lastNs ?? 0;
      assert.deepEqual(fast.due(nowNs), slow.due(nowNs), `seed ${seed}, run ${i}`);
      assert.deepEqual(toldBy(fast), toldBy(slow), `seed ${seed}, run ${i}`);
    }
    assert.deepEqual(toldBy(fast), toldBy(slow), `seed ${seed}`);
  }
  assert.ok(quick > all / 3 && quick < all, `${quick} of ${all} runs went the quick way`);
});

/** A run of packets in sequence, 20 ms apart. */
const runFrom = (address: string, port: number, first: number, count: number): Buffer => {
  const source = formatSource(address, port);
  const step = frameHeaderLength + 12;
  const run = Buffer.alloc(frameHeaderLength + source.length + count * step);
  writeFrameHeader(run, 0, { slot, kind: frameKind.rtpSource, length: source.length, arrivalNs: 1 });
  source.copy(run, frameHeaderLength);
  for (let i = 0; i < count; i++) {
    const at = frameHeaderLength + source.length + i * step;
    writeFrameHeader(run, at, { slot, kind: frameKind.rtp, length: 12, arrivalNs: 1e9 + (first + i) * 20e6 });
    run.writeUInt16BE(0x8000, at + frameHeaderLength);
    run.writeUInt16BE(first + i, at + frameHeaderLength + 2);
    run.writeUInt32BE((first + i) * 160, at + frameHeaderLength + 4);
  }

  return run;
};

test('a run from another source does not go the quick way, however alike the two are', () => {
  const sources = [
    ['192.0.2.1', 4_000],
    ['192.0.2.1', 4_256],
    ['192.0.3.1', 4_000],
    ['2001:db8::1', 4_000],
    ['2001:db8::1', 4_001],
    ['2001:db8:0:1::1', 4_000],
    ['2001:db8::1:0:1', 4_000],
    ['2001:db8::3', 4_000],
  ] as const;
  for (const [one, port] of sources) {
    for (const [other, otherPort] of sources) {
      const same = one === other && port === otherPort;
      const intake = intakeFor('audio', 'any');
      intake.take(runFrom(one, port, 0, 5), false);
      assert.equal(
        intake.takePaced(runFrom(other, otherPort, 5, 5)),
        same,
        `${one} ${port}, ${other} ${otherPort}`,
      );
    }
  }
});

test('after many runs that went the quick way a source is judged by the last packet of them', () => {
  const intake = intakeFor('audio', 'follow');
  const sent = (port: number, first: number, count: number): Buffer =>
    runFrom('192.0.2.1', port, first, count);
  const packets = 5_000;
  intake.take(sent(4_000, 0, 5), false);
  for (let i = 5; i < packets; i += 5) assert.ok(intake.takePaced(sent(4_000, i, 5)));
  // From elsewhere, a moment later: not the stream's next packet, and then that.
  assert.equal(intake.take(sent(4_002, packets + 1 - 4_000, 1), false).length, 0);
  assert.deepEqual([intake.latch.strays, intake.latch.moves], [1, 0]);
  assert.ok(intake.take(sent(4_002, packets, 1), false).length > 0);
  assert.deepEqual([intake.latch.strays, intake.latch.moves], [1, 1]);
});

test('runs pass by where they are to be looked at, and a stream that takes over a slot begins anew', () => {
  const paced = new PacedStreams();
  const options = {
    paced,
    slot: 70,
    mediaType: 'audio',
    policy: 'follow',
    cname: 'a',
    random: () => 0.5,
  } as const;
  const first = new StreamIntake(new Map(), options);
  first.setOpen(true);
  const nextRun = senderFrom(randomFrom(7));
  for (let i = 0; i < 20; i++) {
    const run = nextRun(1e9);
    if (!paced.takeOpen(70, run, 0, run.length)) first.take(run, false);
  }
  const { packets } = first.statistics;
  first.setOpen(false);
  const shut = nextRun(1e9);
  assert.equal(paced.takeOpen(70, shut, 0, shut.length), false);
  assert.equal(first.takePaced(shut), true);
  const after = packets + first.taken;
  const next = first.next('b');
  next.setOpen(true);
  const run = nextRun(1e9);
  assert.equal(paced.takeOpen(70, run, 0, run.length), false);
  next.take(run, false);
  assert.deepEqual([first.statistics.packets, next.statistics.packets], [after, next.taken]);
});
