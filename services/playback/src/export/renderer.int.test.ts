import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { parseWav } from '@reelstream/testing/callers';
import { audioFixtures } from '../test-support/fixtures.ts';
import { record, rtp, talk } from '../test-support/recording.ts';
import type { RecordedTrack, SentPacket } from '../test-support/recording.ts';
import { defaultLimits, renderApart } from './renderer.ts';
import type { RenderLimits } from './renderer.ts';

let root = '';

before(async () => {
  root = await mkdtemp(join(tmpdir(), 'reel-renderer-'));
});

after(() => rm(root, { recursive: true }));

const rendered = async (tracks: readonly RecordedTrack[], limits: RenderLimits = defaultLimits) => {
  const { folder, manifest } = await record(root, tracks);
  const workFolder = await mkdtemp(join(root, 'work-'));
  const progress: number[] = [];
  const job = { folder, tracks: manifest.tracks, format: 'wav', workFolder } as const;
  const { path, notes } = await renderApart(job, (done) => progress.push(done), limits);

  return { wav: parseWav(await readFile(path)), notes, progress };
};

/** Repeatable chance: the whole numbers below `below`. */
const dice = (seed: number): ((below: number) => number) => {
  let state = seed;

  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;

    return Math.floor((state / 2 ** 32) * below);
  };
};

test('random bytes in every codec: the export is made, as long as the call was', async () => {
  const random = dice(11);
  const tracks = Object.values(audioFixtures).map((codec) => ({
    codecs: [codec],
    packets: Array.from({ length: 400 }, (_, n): SentPacket => {
      const payload = Buffer.from(Array.from({ length: random(200) }, () => random(256)));
      const { payloadType, clockRate } = codec;
      const timestamp = Math.round((n * clockRate) / 50);

      return { atMs: 1_000 + n * 20, packet: rtp({ payloadType, sequence: n, timestamp }, payload) };
    }),
  }));
  const { wav, notes } = await rendered(tracks);

  assert.equal(wav.channels.length, tracks.length);
  assert.ok(Math.abs(wav.channels[0]!.length / wav.sampleRate - 8) < 2, `${wav.channels[0]!.length}`);
  assert.ok(notes.some(({ undecoded = 0 }) => undecoded > 0));
});

test('a process that takes more memory than it may, or stands still, is ended, and that is told', async () => {
  const hour = { codecs: [{ payloadType: 0, codec: 'PCMU', clockRate: 8_000 }], packets: longTalk() };

  await assert.rejects(rendered([hour], { ...defaultLimits, maxMemory: 1_000_000 }), /bytes of memory/);
  await assert.rejects(rendered([hour], { ...defaultLimits, stallMs: -1 }), /no progress/);
});

const longTalk = (): SentPacket[] => talk(0, new Uint8Array(8_000 * 3_600).fill(0xff), 0);

test('progress is told on the way, never backwards', async () => {
  const codecs = [{ payloadType: 0, codec: 'PCMU', clockRate: 8_000 }];
  const { progress } = await rendered([{ codecs, packets: longTalk() }]);

  assert.ok(progress.length > 10, `told ${progress.length} times`);
  assert.deepEqual(
    progress,
    progress.toSorted((a, b) => a - b),
  );
  assert.ok(
    progress.every((done) => done > 0 && done <= 1),
    progress.join(' '),
  );
});
