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
// clocks and decodes; ffmpeg is given the bare G.711 of each leg. Both one process at the lowest priority.

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
const merge = '[0:a][1:a]amerge=inputs=2';
/** The same work as ours: each leg resampled by as much as its clock is off, as far as ffmpeg takes whole rates. */
const mergeDrifting =
  '[0:a]asetrate=7998,aresample=8000[a];[1:a]asetrate=8002,aresample=8000[b];[a][b]join=inputs=2:channel_layout=stereo';

const ffmpegTo = async (name: string, encoder: readonly string[], filter = merge): Promise<Run> => {
  const inputs = raw.flatMap((path) => ['-f', 'mulaw', '-ar', '8000', '-ac', '1', '-i', path]);
  const mix = ['-filter_complex', filter];
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
const pcm = ['-c:a', 'pcm_s16le'];
const at48k = (encoder: string): readonly string[] => ['-c:a', encoder, '-b:a', '48k'];
const rows: readonly (readonly [what: string, ours: () => Promise<Run>, theirs: () => Promise<Run>])[] = [
  ['WAV', () => render(steady, 'wav'), () => ffmpegTo('a.wav', pcm)],
  ['WAV, 300 ppm of drift', () => render(drifting, 'wav'), () => ffmpegTo('b.wav', pcm, mergeDrifting)],
  ['MP4 (AAC)', () => render(steady, 'mp4'), () => ffmpegTo('a.mp4', at48k('aac'))],
  ['Opus', () => render(steady, 'opus'), () => ffmpegTo('a.opus', at48k('libopus'))],
  ['MP3', () => render(steady, 'mp3'), () => ffmpegTo('a.mp3', at48k('libmp3lame'))],
];

const say = async (text: string): Promise<void> => {
  if (!process.stdout.write(`${text}\n`)) await once(process.stdout, 'drain');
};

const told = [];
if (!values.json) await say(`${values.minutes} minutes, two legs of G.711; how many times real time`);
for (const [what, runOurs, runTheirs] of rows) {
  const [ours, theirs] = [await runOurs(), await runTheirs()];
  const row = {
    what,
    realtime: Math.round(seconds / ours.seconds),
    ffmpegRealtime: Math.round(seconds / theirs.seconds),
    ratio: Number((theirs.seconds / ours.seconds).toFixed(2)),
    cpuRatio: Number((theirs.cpuSeconds / ours.cpuSeconds).toFixed(2)),
    peakMegabytes: Math.round(ours.peakMegabytes),
  };
  told.push(row);
  if (!values.json)
    await say(
      `${what.padEnd(22)} ${row.realtime}, ffmpeg ${row.ffmpegRealtime}: ratio ${row.ratio}, by CPU ${row.cpuRatio}; ` +
        `at most ${row.peakMegabytes} MB`,
    );
}
if (values.json) await say(JSON.stringify({ minutes: Number(values.minutes), rows: told }));
