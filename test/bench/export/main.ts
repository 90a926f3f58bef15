import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { debianPackages } from '@reelstream/testing';
import { encodeG711, sampleConversation } from '@reelstream/testing/callers';
import { measure } from './measure.ts';
import type { Run } from './measure.ts';
import { recordLegs } from './recording.ts';
import type { Recorded } from './recording.ts';

// How fast a recording becomes a file, beside Debian's ffmpeg on the same audio in the same run: ours reads packets, fits
// clocks and decodes; ffmpeg is given the bare G.711 of each leg. Both one process, both at ordinary priority but ours,
// which gives way to everything.

const { values } = parseArgs({
  options: { minutes: { type: 'string', default: '60' }, json: { type: 'boolean', default: false } },
});
const seconds = Number(values.minutes) * 60;
const renderer = new URL('../../../services/playback/src/render/main.ts', import.meta.url).pathname;

const root = await mkdtemp(join(tmpdir(), 'reel-bench-export-'));
await using cleanup = new AsyncDisposableStack();
cleanup.defer(() => rm(root, { recursive: true }));

const { agent, customer } = sampleConversation();
const legs = [encodeG711('PCMU', agent), encodeG711('PCMU', customer)];

const render = async ({ folder, manifest }: Recorded, format: string): Promise<Run> => {
  const workFolder = await mkdtemp(join(root, 'work-'));
  const job = { folder, tracks: manifest.tracks, format, workFolder };
  const run = await measure(
    process.execPath,
    ['--max-old-space-size=384', '--no-warnings', renderer],
    {},
    JSON.stringify(job),
  );
  await rm(workFolder, { recursive: true });

  return run;
};

/** The bare codes of each leg, as long as the recording. */
const rawLegs = async (): Promise<readonly string[]> => {
  await mkdir(join(root, 'raw'));

  return Promise.all(
    legs.map(async (codes, leg) => {
      const path = join(root, 'raw', `${leg}.ul`);
      const length = seconds * 8_000;
      await writeFile(path, Buffer.alloc(length, Buffer.from(codes)));

      return path;
    }),
  );
};

const raw = await rawLegs();
const ffmpegTo = async (name: string, encoder: readonly string[]): Promise<Run> => {
  const inputs = raw.flatMap((path) => ['-f', 'mulaw', '-ar', '8000', '-ac', '1', '-i', path]);
  const mix = ['-filter_complex', '[0:a][1:a]amerge=inputs=2'];
  const out = join(root, 'raw', name);
  const common = ['-y', '-nostdin', '-loglevel', 'error', '-threads', '1'];
  const command = (await debianPackages('ffmpeg')).command('ffmpeg', [
    ...common,
    ...inputs,
    ...mix,
    ...encoder,
    out,
  ]);

  return measure(command.file, command.args, command.env ?? {});
};

const steady = await recordLegs(root, legs, seconds, 0);
const drifting = await recordLegs(root, legs, seconds, 0.000_3);
const rows = [
  ['WAV', await render(steady, 'wav'), await ffmpegTo('a.wav', ['-c:a', 'pcm_s16le'])],
  ['WAV, 300 ppm of drift', await render(drifting, 'wav'), await ffmpegTo('b.wav', ['-c:a', 'pcm_s16le'])],
  ['MP4 (AAC)', await render(steady, 'mp4'), await ffmpegTo('a.mp4', ['-c:a', 'aac', '-b:a', '48k'])],
  ['Opus', await render(steady, 'opus'), await ffmpegTo('a.opus', ['-c:a', 'libopus', '-b:a', '48k'])],
  ['MP3', await render(steady, 'mp3'), await ffmpegTo('a.mp3', ['-c:a', 'libmp3lame', '-b:a', '48k'])],
] as const;

const told = rows.map(([what, ours, theirs]) => ({
  what,
  realtime: Math.round(seconds / ours.seconds),
  ffmpegRealtime: Math.round(seconds / theirs.seconds),
  ratio: Number((theirs.seconds / ours.seconds).toFixed(2)),
  peakMegabytes: Math.round(ours.peakMegabytes),
}));
const lines = told.map(
  ({ what, realtime, ffmpegRealtime, ratio, peakMegabytes }) =>
    `${what.padEnd(22)} ${realtime} times real time, ffmpeg ${ffmpegRealtime}: ratio ${ratio}; at most ${peakMegabytes} MB`,
);
const text = values.json
  ? JSON.stringify({ minutes: Number(values.minutes), rows: told })
  : `${values.minutes} minutes, two legs of G.711\n${lines.join('\n')}`;
if (!process.stdout.write(`${text}\n`)) await once(process.stdout, 'drain');
