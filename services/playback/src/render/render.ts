import { open, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { rtpdumpFile } from '@reelstream/recording';
import { channelsOf, sampleRateOf } from '../codec/channels.ts';
import type { Channel } from '../codec/channels.ts';
import { ToneList } from '../core/tones.ts';
import { wavHeaderLength } from '../core/wav.ts';
import { decodersFor } from './decoder.ts';
import { interleave } from './interleave.ts';
import type { Job, TrackNote } from './job.ts';
import { MonoFile } from './mono-file.ts';
import { Progress } from './progress.ts';
import { layOutTrack, listTones, renderTrack } from './render-track.ts';
import type { RenderOutcome } from './render-track.ts';
import { spanOf } from './span.ts';
import type { TrackSource } from './track-packets.ts';

type Rendered = { readonly path: string; readonly notes: readonly TrackNote[] };

/** A WAV file counts itself in 32 bits. */
const mostWavSamples = (channels: number): number => (0xffff_ffff - wavHeaderLength) / 2 / channels;
const mostSeconds = 48 * 3_600;

const noteOf = (trackNumber: number, outcome: RenderOutcome): readonly TrackNote[] => {
  const { strays, undecoded, damage } = outcome;
  if (strays === 0 && undecoded === 0 && damage === undefined) return [];

  return [{ trackNumber, strays, undecoded, ...(damage === undefined ? {} : { damage }) }];
};

type Reading = { readonly channel: Channel; readonly first: TrackSource; readonly second: TrackSource };

const weights = { first: 1, second: 5, writing: 2 } as const;

/** Both readings of each track, with what they tell of the progress. */
const readings = async (
  folder: string,
  channels: readonly Channel[],
  progress: Progress,
): Promise<readonly Reading[]> => {
  const readable: Reading[] = [];
  for (const channel of channels) {
    const { trackNumber, uses } = channel;
    const { size } = await stat(join(folder, rtpdumpFile(trackNumber)));
    const source = (weight: number): TrackSource => ({
      folder,
      trackNumber,
      uses,
      onRead: progress.part(weight, size),
    });
    readable.push({ channel, first: source(weights.first), second: source(weights.second) });
  }

  return readable;
};

/** Lists the tones of all tracks. */
const renderTones = async (job: Job, report: (progress: number) => void): Promise<Rendered> => {
  const items = [];
  for (const { channel, first, second } of await readings(
    job.folder,
    channelsOf(job.tracks),
    new Progress(report),
  )) {
    const tones = new ToneList(channel.trackNumber);
    const isThere = [...channel.uses.values()].some(({ kind }) => kind === 'tones');
    if (isThere) await listTones(second, await layOutTrack(first), tones);
    items.push(...tones.list());
  }
  const path = join(job.workFolder, 'tones.json');
  await writeFile(path, JSON.stringify({ items: items.toSorted((a, b) => a.offsetMs - b.offsetMs) }));

  return { path, notes: [] };
};

/**
 * Renders a recording into a file of the job's work folder, which must be there and empty, with bounded memory whatever
 * its length. Throws RenderError.
 */
export const render = async (job: Job, report: (progress: number) => void): Promise<Rendered> => {
  if (job.format === 'tones') return renderTones(job, report);
  const channels = channelsOf(job.tracks);
  const rate = sampleRateOf(channels);
  const progress = new Progress(report);
  const codecs = channels.flatMap(({ uses }) =>
    [...uses.values()].flatMap((use) => (use.kind === 'audio' ? [use.codec] : [])),
  );
  const openDecoder = await decodersFor(codecs);
  await using files = new AsyncDisposableStack();
  const notes: TrackNote[] = [];
  const rendered: MonoFile[] = [];
  const tracks = await readings(job.folder, channels, progress);
  const writing = progress.part(weights.writing * channels.length, 1);
  const mostSamples = job.format === 'wav' ? mostWavSamples(channels.length) : mostSeconds * rate;
  for (const { channel, first, second } of tracks) {
    const { trackNumber } = channel;
    const target = files.use(await MonoFile.create(join(job.workFolder, `track-${trackNumber}.pcm`)));
    rendered.push(target);
    const clocks = await layOutTrack(first);
    const outcome = await renderTrack({
      source: second,
      channel,
      clocks,
      target,
      rate,
      mostSamples,
      open: openDecoder,
    });
    notes.push(...noteOf(trackNumber, outcome));
  }

  const span = spanOf(rendered);
  let written = 0;
  const onFrames = (frames: number): void => writing((written += frames) / (span.end - span.start));
  const path = join(job.workFolder, `recording.${job.format}`);
  if (job.format === 'wav') {
    const target = await open(path, 'wx', 0o600);
    files.defer(() => target.close());
    await interleave(rendered, span, target, rate, onFrames);
  } else {
    const { encode } = await import('./encode.ts');
    await encode({ format: job.format, files: rendered, span, sampleRate: rate, path, videos: [], onFrames });
  }

  return { path, notes };
};
