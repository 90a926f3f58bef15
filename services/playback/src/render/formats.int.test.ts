import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { encodeG711, sampleConversation } from '@reelstream/testing/callers';
import type { Format } from '../core/formats.ts';
import { decodedBy, likeness, probed } from '../test-support/ffmpeg.ts';
import { audioFixtures, sendFixture, speech } from '../test-support/fixtures.ts';
import { match } from '../test-support/match.ts';
import { record, talk } from '../test-support/recording.ts';
import type { RecordedTrack } from '../test-support/recording.ts';
import { render } from './render.ts';

let root = '';

before(async () => {
  root = await mkdtemp(join(tmpdir(), 'reel-render-'));
});

after(() => rm(root, { recursive: true }));

const made = async (format: Format, tracks: readonly RecordedTrack[]): Promise<string> => {
  const { folder, manifest } = await record(root, tracks);
  const workFolder = await mkdtemp(join(root, 'work-'));

  return (await render({ folder, tracks: manifest.tracks, format, workFolder }, () => undefined)).path;
};

const { agent, customer } = sampleConversation();
const pcmu = { codecs: [{ payloadType: 0, codec: 'PCMU', clockRate: 8_000 }] };
const conversation: readonly RecordedTrack[] = [
  { ...pcmu, packets: talk(0, encodeG711('PCMU', agent), 1_000) },
  { ...pcmu, packets: talk(0, encodeG711('PCMU', customer), 1_000) },
];

const codecs = { mp4: 'aac', opus: 'opus', mp3: 'mp3' } as const;

for (const [format, codec] of Object.entries(codecs) as [keyof typeof codecs, string][]) {
  test(`${format}: another decoder hears each party on its side, at its place and level`, async () => {
    const path = await made(format, conversation);
    const [stream] = await probed(path);
    const [left, right] = await decodedBy(path, 8_000, 2);

    assert.equal(stream?.codec_name, codec);
    for (const [said, heard] of [
      [agent, left],
      [customer, right],
    ] as const) {
      const from = said.findIndex((sample) => sample !== 0);
      const words = said.subarray(from, from + 20_000);
      const { lag, correlation, levelDb } = match(words, heard!.subarray(8_000 + from), [-100, 100]);
      assert.ok(Math.abs(lag) <= 16, `${lag} samples late`);
      assert.ok(correlation > 0.93, `correlation ${correlation}`);
      assert.ok(Math.abs(levelDb) < 1, `${levelDb} dB`);
    }
  });
}

test('one party alone is mono; wide-band stays wide-band', async () => {
  const codec = audioFixtures['g722']!;
  const path = await made('opus', [{ codecs: [codec], packets: sendFixture('g722', 8_000, 0) }]);
  const [heard] = await decodedBy(path, 8_000, 1);

  assert.ok(match(speech(), heard!, [-100, 100]).correlation > 0.9);
});

const h264 = [{ payloadType: 96, codec: 'H264', clockRate: 90_000, fmtp: 'packetization-mode=1' }];

test('pictures that came as H.264 are copied into the MP4, on the clock of the sound', async () => {
  const sent = sendFixture('h264', 90_000, 2_000);
  const path = await made('mp4', [conversation[0]!, { codecs: h264, packets: sent, mediaType: 'video' }]);
  const streams = await probed(path);
  const video = streams.find(({ codec_type }) => codec_type === 'video');
  const audio = streams.find(({ codec_type }) => codec_type === 'audio');

  assert.equal(audio?.codec_name, 'aac');
  assert.deepEqual([video?.codec_name, video?.width, video?.height], ['h264', 176, 144]);
  // Two seconds at 15 pictures a second, all of which Debian's decoder makes out.
  assert.equal(Number(video?.nb_read_frames), 30);
  assert.ok(Math.abs(Number(video?.start_time) - 2) < 0.001, `pictures begin at ${video?.start_time} s`);
  assert.ok(Math.abs(Number(video?.duration) - 2) < 0.1, `${video?.duration} s`);
});

test('pictures that came as VP8 are transcoded for the MP4, each at its time', async () => {
  const codecs = [{ payloadType: 96, codec: 'VP8', clockRate: 90_000 }];
  const sent = sendFixture('vp8', 90_000, 2_000);
  const path = await made('mp4', [conversation[0]!, { codecs, packets: sent, mediaType: 'video' }]);
  const copied = await made('mp4', [
    { codecs: h264, packets: sendFixture('h264', 90_000, 2_000), mediaType: 'video' },
  ]);
  const video = (await probed(path)).find(({ codec_type }) => codec_type === 'video');

  assert.deepEqual([video?.codec_name, video?.width, video?.height], ['h264', 176, 144]);
  assert.equal(Number(video?.nb_read_frames), 30);
  assert.ok(Math.abs(Number(video?.start_time) - 2) < 0.001, `pictures begin at ${video?.start_time} s`);
  // Both show the same test picture: another decoder sees the same, but for what two encoders leave out.
  const psnr = await likeness(path, copied);
  assert.ok(psnr > 25, `${psnr} dB`);
});

test('a lost packet costs its picture; decoding begins where it can', async () => {
  const codecs = [{ payloadType: 96, codec: 'H264', clockRate: 90_000 }];
  const sent = sendFixture('h264', 90_000, 2_000);
  const lossy = [...sent.slice(0, 10), ...sent.slice(12)];
  const path = await made('mp4', [{ codecs, packets: lossy, mediaType: 'video' }]);
  const video = (await probed(path)).find(({ codec_type }) => codec_type === 'video');

  assert.ok(Number(video?.nb_read_frames) >= 26 && Number(video?.nb_read_frames) < 30, video?.nb_read_frames);
});
