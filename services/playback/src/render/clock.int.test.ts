import assert from 'node:assert/strict';
import { mkdtemp, open, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { decodeG711, encodeG711, parseWav } from '@reelstream/testing/callers';
import { defaultLimits, renderApart } from '../export/renderer.ts';
import { audioFixtures, sendFixture, speech } from '../test-support/fixtures.ts';
import { firstDifference, match, thinned } from '../test-support/match.ts';
import { record, rtp, talk } from '../test-support/recording.ts';
import type { RecordedTrack, RecordOptions, SentPacket } from '../test-support/recording.ts';

let root = '';

before(async () => {
  root = await mkdtemp(join(tmpdir(), 'reel-clock-'));
});

after(() => rm(root, { recursive: true }));

const renderWav = async (tracks: readonly RecordedTrack[], options: RecordOptions = {}): Promise<string> => {
  const { folder, manifest } = await record(root, tracks, options);
  const workFolder = await mkdtemp(join(root, 'work-'));
  const job = { folder, tracks: manifest.tracks, format: 'wav', workFolder } as const;

  // Where it takes long nothing should hold it up but the machine: tests watch each promise, their children don't.
  return (await renderApart(job, () => undefined, { ...defaultLimits, stallMs: 300_000 })).path;
};

const pcmu = { payloadType: 0, codec: 'PCMU', clockRate: 8_000 };
const rate = 8_000;
const pulseHz = 900;
const pulseS = 0.02;

/** What both ends of the line hear at a true time: a soft pulse each minute, 3 s past it. */
const heardAt = (seconds: number): number => {
  const off = ((seconds + 57 + 30) % 60) - 30;

  return Math.abs(off) > pulseS
    ? 0
    : 20_000 * Math.cos((Math.PI * off) / pulseS / 2) ** 2 * Math.sin(2 * Math.PI * pulseHz * off);
};

type Leg = {
  readonly fromS: number;
  readonly untilS: number;
  readonly drift: number;
  readonly jitterMs: number;
};

const silence = new Uint8Array(160).fill(0xff);

/** One end, sampled by a clock that is off by `drift`, its packets late by what the network likes. */
const legPackets = ({ fromS, untilS, drift, jitterMs }: Leg): SentPacket[] => {
  const packets: SentPacket[] = [];
  const sampleS = (1 + drift) / rate;
  let state = 12_345;
  for (let n = 0; fromS + n * 160 * sampleS < untilS; n++) {
    const startS = fromS + n * 160 * sampleS;
    const endS = startS + 160 * sampleS;
    const isQuiet = heardAt(startS) === 0 && heardAt(endS) === 0 && heardAt((startS + endS) / 2) === 0;
    const samples = isQuiet
      ? undefined
      : Int16Array.from({ length: 160 }, (_, i) => Math.round(heardAt(startS + i * sampleS)));
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    const payload = samples ? encodeG711('PCMU', samples) : silence;
    packets.push({
      atMs: endS * 1_000 + (state / 2 ** 32) ** 2 * jitterMs,
      packet: rtp({ payloadType: 0, sequence: n, timestamp: n * 160, ssrc: drift > 0 ? 1 : 2 }, payload),
    });
  }

  return packets;
};

/** Samples of both channels of a stereo WAV file. */
const excerpt = async (path: string, from: number, count: number): Promise<Int16Array[]> => {
  await using file = await open(path);
  const bytes = Buffer.alloc(count * 4);
  await file.read(bytes, 0, bytes.length, 44 + from * 4);

  return [0, 1].map((channel) =>
    Int16Array.from({ length: count }, (_, i) => bytes.readInt16LE(i * 4 + channel * 2)),
  );
};

test('an hour of two clocks that are 600 ppm apart, one leg 3 s later, the wall clock set by 5 s on the way: a sample', async () => {
  const untilS = 3_600;
  const tracks = [
    { fromS: 1, untilS, drift: 0.000_3, jitterMs: 4 },
    { fromS: 4, untilS, drift: -0.000_3, jitterMs: 4 },
  ].map((leg) => ({ codecs: [pcmu], packets: legPackets(leg) }));
  const path = await renderWav(tracks, { wallErrorMs: (atMs) => (atMs > 1_800_000 ? 5_000 : 0) });

  // A packet leaves once its last sample was taken, and its first sample lies where it arrived.
  const packet = 160;
  for (const minute of [1, 20, 40, 59]) {
    const from = Math.round((minute * 60 + 3 - 0.1) * rate);
    const [first, second] = await excerpt(path, from, 1_600);
    const said = Float64Array.from({ length: 1_600 }, (_, i) => heardAt((from + i) / rate));
    const [a, b] = [first!, second!].map((heard) => match(said, heard, [packet - 40, packet + 40]));
    assert.ok(a!.correlation > 0.99 && b!.correlation > 0.99, `${a!.correlation} ${b!.correlation}`);
    assert.ok(Math.abs(a!.lag - packet) <= 1, `minute ${minute}: ${a!.lag} samples late`);
    assert.ok(Math.abs(a!.lag - b!.lag) <= 1, `minute ${minute}: ${a!.lag} and ${b!.lag}`);
  }
});

/** Of samples, in dB over a square wave at full scale. */
const levelOf = (samples: Int16Array): number => {
  let power = 0;
  for (const sample of samples) power += sample * sample;

  return 10 * Math.log10(power / samples.length / 32_768 ** 2);
};

test('pause, comfort noise, a new SSRC, repeats and another ptime: every sample is at its place', async () => {
  const codes = encodeG711('PCMU', speech());
  const word = codes.subarray(0, 8_000);
  const at = (ms: number): number => (ms * rate) / 1_000;
  const said = (ms: number, ssrc: number, size: number, base: number): SentPacket[] =>
    Array.from({ length: word.length / size }, (_, n) => ({
      atMs: ms + (n * size * 1_000) / rate,
      packet: rtp(
        { payloadType: 0, sequence: base + n, timestamp: at(ms) + n * size, ssrc },
        word.subarray(n * size, (n + 1) * size),
      ),
    }));
  const noise = (
    [
      [2_000, 60],
      [5_000, 50],
      [8_000, 70],
    ] as const
  ).map(([ms, level], n) => ({
    atMs: ms,
    packet: rtp({ payloadType: 13, sequence: 50 + n, timestamp: at(ms) }, Buffer.of(level)),
  }));
  const third = said(14_000, 9, 80, 0);
  const packets = [
    ...said(1_000, 1, 160, 0),
    ...noise,
    // Ten seconds after the last word, in packets of 30 ms.
    ...said(12_000, 1, 320, 53),
    ...third,
    ...third.slice(10, 20),
  ].toSorted((a, b) => a.atMs - b.atMs);
  const path = await renderWav([
    { codecs: [pcmu, { payloadType: 13, codec: 'CN', clockRate: 8_000 }], packets },
  ]);
  const [channel] = parseWav(await readFile(path)).channels;

  const expected = new Int16Array(at(15_000));
  for (const ms of [1_000, 12_000, 14_000]) expected.set(decodeG711('PCMU', word), at(ms));
  // The sender's pause sounds as it said, and nothing else does.
  const pause = channel!.slice(at(2_000), at(12_000));
  for (const [ms, levelDbov] of [
    [0, -60],
    [2_990, -60],
    [3_000, -50],
    [5_990, -50],
    [6_000, -70],
    [9_990, -70],
  ] as const) {
    const level = levelOf(pause.subarray(at(ms), at(ms + 10)));
    assert.ok(Math.abs(level - levelDbov) < 1, `${ms} ms into the pause: ${level} dBov`);
  }
  channel!.fill(0, at(2_000), at(12_000));
  assert.equal(firstDifference(channel, expected), -1);
});

test('comfort noise in a wide-band call has its level; of a pause in which a packet is missing nothing is made up', async () => {
  const said = sendFixture('g722', 8_000, 0);
  const { length } = said;
  const last = Buffer.from(said.at(-1)!.packet);
  const [sequence, timestamp, ssrc] = [last.readUInt16BE(2), last.readUInt32BE(4), last.readUInt32BE(8)];
  const after = (n: number, ms: number) => ({
    payloadType: 13,
    sequence: sequence + n,
    timestamp: timestamp + 160 + (ms * 8_000) / 1_000,
    ssrc,
  });
  const endMs = length * 20;
  const cn = Buffer.of(40, 60);
  const packets = [
    ...said,
    { atMs: endMs, packet: rtp(after(1, 0), cn) },
    { atMs: endMs + 1_000, packet: rtp(after(2, 1_000), cn) },
    // The third got lost.
    { atMs: endMs + 2_000, packet: rtp(after(4, 2_000), cn) },
    {
      atMs: endMs + 3_000,
      packet: rtp({ ...after(5, 3_000), payloadType: 9 }, said[0]!.packet.subarray(12)),
    },
  ];
  const g722 = audioFixtures['g722']!;
  const path = await renderWav([
    { codecs: [g722, { payloadType: 13, codec: 'CN', clockRate: 8_000 }], packets },
  ]);
  const { channels, sampleRate } = parseWav(await readFile(path));
  const alone = parseWav(await readFile(await renderWav([{ codecs: [g722], packets: said }]))).channels[0]!;
  const second = (n: number): Int16Array =>
    channels[0]!.subarray(alone.length + (n + 0.01) * sampleRate, alone.length + (n + 0.99) * sampleRate);

  assert.equal(sampleRate, 16_000);
  assert.equal(firstDifference(channels[0]!.slice(0, alone.length), alone), -1);
  assert.ok(Math.abs(levelOf(second(0)) + 40) < 1, `${levelOf(second(0))} dBov`);
  assert.ok(second(1).every((sample) => sample === 0));
  assert.ok(Math.abs(levelOf(second(2)) + 40) < 1, `${levelOf(second(2))} dBov`);
});

test('a call that changes from G.711 to G.722 and on to Opus is heard throughout, each word at its time', async () => {
  const opus = { ...audioFixtures['opus']!, payloadType: 97 };
  const packets = [
    ...talk(0, encodeG711('PCMU', speech()), 0),
    ...sendFixture('g722', 8_000, 4_000),
    ...sendFixture('opus', 48_000, 8_000),
  ];
  const path = await renderWav([{ codecs: [pcmu, audioFixtures['g722']!, opus], packets }]);
  const { sampleRate, channels } = parseWav(await readFile(path));
  const heard = thinned(channels[0]!, sampleRate / rate);

  assert.equal(sampleRate, 48_000);
  for (const [ms, lag, correlation] of [
    [0, 0, 0.999],
    [4_000, 11, 0.999],
    [8_000, 52, 0.86],
  ] as const) {
    const found = match(speech().subarray(0, 16_000), heard.subarray(ms * 8), [-200, 400]);
    assert.ok(Math.abs(found.lag - lag) <= 1, `${ms} ms: ${found.lag} samples late`);
    assert.ok(found.correlation > correlation, `${ms} ms: ${found.correlation}`);
  }
});

/** A sender report and the name of its sender (RFC 3550 §6.4.1, §6.5). */
const senderReport = (ssrc: number, seconds: number): Buffer => {
  const report = Buffer.alloc(28 + 16);
  report.writeUInt32BE(0x80c8_0006, 0);
  report.writeUInt32BE(ssrc, 4);
  report.writeUInt32BE(3_900_000_000 + seconds, 8);
  report.writeUInt32BE(seconds * rate, 16);
  report.writeUInt32BE(0x81ca_0003, 28);
  report.writeUInt32BE(ssrc, 32);
  report.set([1, 6], 36);
  report.write('desk-1', 38, 'latin1');

  return report;
};

test('two streams of one sender are aligned by its reports, though one came 60 ms later', async () => {
  const codes = encodeG711('PCMU', speech());
  const tracks = [0, 60].map((lateMs, n) => {
    const ssrc = n + 1;
    const words = talk(0, codes, 1_000 + lateMs).map(({ atMs, packet }, i) => {
      packet.fill(0, 4, 12);
      (packet as Buffer).writeUInt32BE(i * 160, 4);
      (packet as Buffer).writeUInt32BE(ssrc, 8);

      return { atMs, packet };
    });
    const reports = [0, 1, 2].map((seconds) => ({
      atMs: 1_010 + lateMs + seconds * 1_000,
      packet: senderReport(ssrc, seconds),
    }));

    return { codecs: [pcmu], packets: [...words, ...reports].toSorted((a, b) => a.atMs - b.atMs) };
  });
  const [first, second] = parseWav(await readFile(await renderWav(tracks))).channels;

  const expected = Int16Array.from([...new Int16Array(rate), ...decodeG711('PCMU', codes)]);
  assert.equal(firstDifference(first, expected), -1);
  assert.equal(firstDifference(second, expected), -1);
});
