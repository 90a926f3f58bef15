import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { parseWav } from '@reelstream/testing/callers';
import { audioFixtures, sendFixture, speech } from '../test-support/fixtures.ts';
import { firstDifference, match, thinned } from '../test-support/match.ts';
import { record, rtp } from '../test-support/recording.ts';
import type { RecordedTrack, SentPacket } from '../test-support/recording.ts';
import { render } from './render.ts';

let root = '';

before(async () => {
  root = await mkdtemp(join(tmpdir(), 'reel-render-'));
});

after(() => rm(root, { recursive: true }));

const renderWav = async (tracks: readonly RecordedTrack[]) => {
  const { folder, manifest } = await record(root, tracks);
  const workFolder = await mkdtemp(join(root, 'work-'));
  const { path, notes } = await render(
    { folder, tracks: manifest.tracks, format: 'wav', workFolder },
    () => undefined,
  );

  return { ...parseWav(await readFile(path)), notes };
};

type Expected = {
  /** Samples at 8 kHz by which the coders themselves are late. */
  readonly lag: number;
  /** What the codec's bit rate leaves of the waveform. */
  readonly correlation: number;
  readonly withinDb?: number;
};

const expected: Readonly<Record<string, Expected>> = {
  l16: { lag: 0, correlation: 0.9999 },
  g722: { lag: 11, correlation: 0.999 },
  g729: { lag: 40, correlation: 0.8 },
  g729b: { lag: 40, correlation: 0.8 },
  opus: { lag: 52, correlation: 0.86 },
  'amr-nb': { lag: 40, correlation: 0.84 },
  'amr-wb': { lag: 47, correlation: 0.9 },
  // The reference decoder has 0.8319 and 0.8297, −0.38 dB and −0.29 dB.
  'ilbc-20': { lag: 0, correlation: 0.831, withinDb: 0.5 },
  'ilbc-30': { lag: 0, correlation: 0.829, withinDb: 0.5 },
  'aac-latm': { lag: 512, correlation: 0.99 },
  'aac-generic': { lag: 512, correlation: 0.99 },
  'aac-ld-latm': { lag: 85, correlation: 0.95 },
  'aac-ld-latm-inband': { lag: 85, correlation: 0.95 },
};

for (const name of ['ilbc-20', 'ilbc-30'])
  test(`${name}: begins as quietly as the speaker does, whatever its decoder began with`, async () => {
    const codec = audioFixtures[name]!;
    const { channels } = await renderWav([{ codecs: [codec], packets: sendFixture(name, 8_000, 0) }]);
    const loudest = (samples: Int16Array): number => Math.max(...samples.subarray(0, 480).map(Math.abs));

    assert.ok(loudest(channels[0]!) <= loudest(speech()) + 200, `${loudest(channels[0]!)}`);
  });

for (const [name, codec] of Object.entries(audioFixtures)) {
  test(`${name}: what an independent encoder was told is heard, at its place and level`, async () => {
    const { sampleRate, channels, notes } = await renderWav([
      { codecs: [codec], packets: sendFixture(name, codec.clockRate, 500) },
    ]);
    const heard = thinned(channels[0]!, sampleRate / 8_000).subarray(4_000);
    const said = speech().subarray(0, Math.min(heard.length, 16_000));
    const { lag, correlation, levelDb } = match(said, heard, [-400, 800]);

    const { withinDb = 1, ...least } = expected[name]!;
    assert.deepEqual(notes, []);
    assert.ok(Math.abs(lag - least.lag) <= 1, `${lag} samples late`);
    assert.ok(correlation >= least.correlation, `correlation ${correlation}`);
    assert.ok(Math.abs(levelDb) <= withinDb, `${levelDb} dB`);
  });
}

test('bandwidth-efficient AMR is heard as the octet-aligned one is', async () => {
  const fmtp = 'mode-set=7';
  const aligned = audioFixtures['amr-nb']!;
  const packets = sendFixture('amr-nb', 8_000, 500);
  const tight = packets.map(({ atMs, packet }) => ({
    atMs,
    packet: Buffer.concat([packet.subarray(0, 12), bandwidthEfficient(packet.subarray(12))]),
  }));
  const first = await renderWav([{ codecs: [aligned], packets }]);
  const second = await renderWav([{ codecs: [{ ...aligned, fmtp }], packets: tight }]);

  assert.deepEqual(second.channels, first.channels);
  assert.deepEqual(second.notes, []);
});

test('interleaved AMR with CRCs, and sorted AMR, are heard as the plain one is', async () => {
  const aligned = audioFixtures['amr-nb']!;
  const sent = sendFixture('amr-nb', 8_000, 500);
  const frames = sent.flatMap(({ packet }) => framesOf(packet.subarray(12)));
  // Groups of three packets with two frames each.
  const whole = frames.slice(0, frames.length - (frames.length % 6));
  const send = (sequence: number, frame: number, payload: readonly number[]): SentPacket => ({
    atMs: 500 + frame * 20,
    packet: rtp({ payloadType: 97, sequence, timestamp: frame * 160 }, Uint8Array.from(payload)),
  });
  const plain = whole.map((frame, n) => send(n, n, [0xf0, frame[0]!, ...frame.subarray(1)]));
  const interleaved = whole.flatMap((_, n) => {
    const place = n % 6;
    if (place > 2) return [];
    const [first, second] = [whole[n]!, whole[n + 3]!];
    const entries = [first[0]! | 0x80, second[0]!];
    const [crcs, speech] = [
      [1, 2],
      [...first.subarray(1), ...second.subarray(1)],
    ];
    const number = Math.floor(n / 6) * 3 + place;

    return [send(number, n, [0xf0, 0x20 | place, ...entries, ...crcs, ...speech])];
  });
  const sorted = whole.flatMap((first, n) => {
    const second = whole[n + 1];
    if (n % 2 === 1 || !second) return [];
    const dealt = [...first.subarray(1)].flatMap((byte, i) => [byte, second[i + 1]!]);

    return [send(n / 2, n, [0xf0, first[0]! | 0x80, second[0]!, ...dealt])];
  });
  const [expected] = (await renderWav([{ codecs: [aligned], packets: plain }])).channels;
  for (const [fmtp, packets] of [
    ['octet-align=1;interleaving=6;crc=1', interleaved],
    ['octet-align=1;robust-sorting=1', sorted],
  ] as const) {
    const { channels, notes } = await renderWav([{ codecs: [{ ...aligned, fmtp }], packets }]);

    assert.equal(firstDifference(channels[0], expected!), -1, fmtp);
    assert.deepEqual(notes, []);
  }
});

/** The frames of 12.2 kbit/s of an octet-aligned payload, each behind its entry in the table of contents. */
const framesOf = (payload: Uint8Array): readonly Buffer[] => {
  let entries = 1;
  while (payload[entries]! & 0x80) entries++;

  return Array.from({ length: entries }, (_, n) =>
    Buffer.from([
      payload[1 + n]! & 0x7f,
      ...payload.subarray(1 + entries + n * 31, 1 + entries + (n + 1) * 31),
    ]),
  );
};

/** 12.2 kbit/s frames: 244 bits. The bits of RFC 4867 §4.4 laid out as §4.3 has them. */
const bandwidthEfficient = (payload: Uint8Array): Buffer => {
  const bitsOf = (bytes: Uint8Array): string =>
    [...bytes].map((byte) => byte.toString(2).padStart(8, '0')).join('');
  let entries = 1;
  while (payload[entries]! & 0x80) entries++;
  const toc = [...payload.subarray(1, 1 + entries)].map((byte) => bitsOf(Uint8Array.of(byte)).slice(0, 6));
  const frames = toc.map((_, n) =>
    bitsOf(payload.subarray(1 + entries + n * 31, 1 + entries + (n + 1) * 31)).slice(0, 244),
  );
  const bits = `${bitsOf(payload.subarray(0, 1)).slice(0, 4)}${toc.join('')}${frames.join('')}`;

  return Buffer.from(bits.match(/.{1,8}/g)?.map((byte) => Number.parseInt(byte.padEnd(8, '0'), 2)) ?? []);
};
