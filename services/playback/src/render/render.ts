import { open, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { rtpdumpFile } from '@reelstream/recording';
import { channelsOf, sampleRateOf } from '../codec/channels.ts';
import { videosOf } from '../codec/videos.ts';
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
import type { TrackSource, TrackUses } from './track-packets.ts';
import type { VideoFeed } from './video-feed.ts';

type Rendered = { readonly path: string; readonly notes: readonly TrackNote[] };

/** A WAV file counts itself in 32 bits. */
const mostWavSamples = (channels: number): number => (0xffff_ffff - wavHeaderLength) / 2 / channels;
const mostSeconds = 48 * 3_600;

const noteOf = (trackNumber: number, outcome: RenderOutcome): readonly TrackNote[] => {
  const { strays, undecoded, damage } = outcome;
  if (strays === 0 && undecoded === 0 && damage === undefined) return [];

  return [{ trackNumber, strays, undecoded, ...(damage === undefined ? {} : { damage }) }];
};

type Reading<Track> = { readonly track: Track; readonly first: TrackSource; readonly second: TrackSource };

const weights = { first: 1, second: 5, writing: 2 } as const;

/** Both readings of each track, with what they tell of the progress. */
const readings = async <Track extends { readonly trackNumber: number; readonly uses: TrackUses }>(
  folder: string,
  tracks: readonly Track[],
  progress: Progress,
): Promise<readonly Reading<Track>[]> => {
  const readable: Reading<Track>[] = [];
  for (const track of tracks) {
    const { trackNumber, uses } = track;
    const { size } = await stat(join(folder, rtpdumpFile(trackNumber)));
    const source = (weight: number): TrackSource => ({
      folder,
      trackNumber,
      uses,
      onRead: progress.part(weight, size),
    });
    readable.push({ track, first: source(weights.first), second: source(weights.second) });
  }

  return readable;
};

/** Lists the tones of all tracks. */
const renderTones = async (job: Job, report: (progress: number) => void): Promise<Rendered> => {
  const items = [];
  for (const { track: channel, first, second } of await readings(
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

type Sound = {
  readonly files: readonly MonoFile[];
  readonly rate: number;
  readonly notes: readonly TrackNote[];
};

/** Decodes every audio track into a file of its own, which `owner` closes. */
const renderSound = async (job: Job, progress: Progress, owner: AsyncDisposableStack): Promise<Sound> => {
  const channels = channelsOf(job.tracks);
  const rate = sampleRateOf(channels);
  const codecs = channels.flatMap(({ uses }) =>
    [...uses.values()].flatMap((use) => (use.kind === 'audio' ? [use.codec] : [])),
  );
  const open = await decodersFor(codecs);
  const mostSamples = job.format === 'wav' ? mostWavSamples(channels.length) : mostSeconds * rate;
  const files: MonoFile[] = [];
  const notes: TrackNote[] = [];
  for (const { track: channel, first, second } of await readings(job.folder, channels, progress)) {
    const { trackNumber } = channel;
    const target = owner.use(await MonoFile.create(join(job.workFolder, `track-${trackNumber}.pcm`)));
    files.push(target);
    const clocks = await layOutTrack(first);
    const outcome = await renderTrack({ source: second, channel, clocks, target, rate, mostSamples, open });
    notes.push(...noteOf(trackNumber, outcome));
  }

  return { files, rate, notes };
};

/** The pictures that go into a file of this format. */
const openVideos = async (
  job: Job,
  progress: Progress,
  owner: AsyncDisposableStack,
): Promise<readonly VideoFeed[]> => {
  const tracks = job.format === 'mp4' ? videosOf(job.tracks).filter(({ uses }) => uses.size > 0) : [];
  if (tracks.length === 0) return [];
  const { VideoFeed } = await import('./video-feed.ts');
  const feeds: VideoFeed[] = [];
  for (const { first, second } of await readings(job.folder, tracks, progress)) {
    const feed = await VideoFeed.open(first, second);
    if (feed) feeds.push(owner.use(feed));
  }

  return feeds;
};

/**
 * Renders a recording into a file of the job's work folder, which must be there and empty, with bounded memory whatever
 * its length. Throws RenderError.
 */
export const render = async (job: Job, report: (progress: number) => void): Promise<Rendered> => {
  if (job.format === 'tones') return renderTones(job, report);
  const progress = new Progress(report);
  const writing = progress.part(weights.writing * job.tracks.length, 1);
  await using owner = new AsyncDisposableStack();
  const { files, rate, notes } = await renderSound(job, progress, owner);
  const videos = await openVideos(job, progress, owner);
  const span = spanOf(
    files,
    videos.map(({ startS }) => Math.floor(startS * rate)),
  );
  let written = 0;
  const onFrames = (frames: number): void => writing((written += frames) / (span.end - span.start));
  const path = join(job.workFolder, `recording.${job.format}`);
  if (job.format === 'wav') {
    const target = await open(path, 'wx', 0o600);
    owner.defer(() => target.close());
    await interleave(files, span, target, rate, onFrames);
  } else {
    const { encode } = await import('./encode.ts');
    await encode({ format: job.format, files, span, sampleRate: rate, path, videos, onFrames });
  }

  return { path, notes };
};
