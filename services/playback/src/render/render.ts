import { open, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { channelsOf, sampleRateOf } from '../codec/channels.ts';
import type { Channel } from '../codec/channels.ts';
import { videosOf } from '../codec/videos.ts';
import type { VideoTrack } from '../codec/videos.ts';
import { ToneList } from '../core/tones.ts';
import type { Tone } from '../core/tones.ts';
import { wavHeaderLength } from '../core/wav.ts';
import { decodersFor } from './decoder.ts';
import { interleave } from './interleave.ts';
import type { Job, TrackNote } from './job.ts';
import { layOut } from './lay-out.ts';
import type { LaidOut } from './lay-out.ts';
import { MonoFile } from './mono-file.ts';
import { Progress } from './progress.ts';
import { listTones, renderTrack } from './render-track.ts';
import type { RenderOutcome } from './render-track.ts';
import { spanOf } from './span.ts';
import type { VideoFeed } from './video-feed.ts';

type Rendered = { readonly path: string; readonly notes: readonly TrackNote[] };

/** A WAV file counts itself in 32 bits. */
const mostWavSamples = (channels: number): number => (0xffff_ffff - wavHeaderLength) / 2 / channels;
const mostSeconds = 48 * 3_600;
/** What writing a track takes, beside reading it. */
const writingWeight = 2;

const noteOf = (trackNumber: number, outcome: RenderOutcome): readonly TrackNote[] => {
  const { strays, undecoded, damage } = outcome;
  if (strays === 0 && undecoded === 0 && damage === undefined) return [];

  return [{ trackNumber, strays, undecoded, ...(damage === undefined ? {} : { damage }) }];
};

/** Lists the tones of all tracks. */
const renderTones = async (job: Job, report: (progress: number) => void): Promise<Rendered> => {
  const channels = channelsOf(job.tracks).filter(({ uses }) =>
    [...uses.values()].some(({ kind }) => kind === 'tones'),
  );
  const items: Tone[] = [];
  for (const { track, source, clocks } of await layOut(job.folder, channels, new Progress(report))) {
    const tones = new ToneList(track.trackNumber);
    await listTones(source, clocks, tones);
    const isMasked = job.format === 'masked tones';
    items.push(...tones.list().map((tone) => (isMasked ? { ...tone, event: 'masked' } : tone)));
  }
  const path = join(job.workFolder, 'tones.json');
  await writeFile(path, JSON.stringify({ items: items.toSorted((a, b) => a.offsetMs - b.offsetMs) }));

  return { path, notes: [] };
};

type Sound = { readonly files: readonly MonoFile[]; readonly notes: readonly TrackNote[] };

/** Decodes audio tracks, each into a file of its own, which `owner` closes. */
const renderSound = async (
  job: Job,
  tracks: readonly LaidOut<Channel>[],
  rate: number,
  owner: AsyncDisposableStack,
): Promise<Sound> => {
  const codecs = tracks.flatMap(({ track: { uses } }) =>
    [...uses.values()].flatMap((use) => (use.kind === 'audio' ? [use.codec] : [])),
  );
  const openDecoder = await decodersFor(codecs);
  const mostSamples = job.format === 'wav' ? mostWavSamples(tracks.length) : mostSeconds * rate;
  const files: MonoFile[] = [];
  const notes: TrackNote[] = [];
  for (const { track: channel, source, clocks } of tracks) {
    const { trackNumber } = channel;
    const target = owner.use(await MonoFile.create(join(job.workFolder, `track-${trackNumber}.pcm`)));
    files.push(target);
    const outcome = await renderTrack({
      source,
      channel,
      clocks,
      target,
      rate,
      mostSamples,
      open: openDecoder,
    });
    notes.push(...noteOf(trackNumber, outcome));
  }

  return { files, notes };
};

/** The pictures of these tracks, as far as they can be seen. */
const openVideos = async (
  tracks: readonly LaidOut<VideoTrack>[],
  owner: AsyncDisposableStack,
): Promise<readonly VideoFeed[]> => {
  if (tracks.length === 0) return [];
  const { VideoFeed } = await import('./video-feed.ts');
  const feeds: VideoFeed[] = [];
  for (const { source, clocks } of tracks) {
    const feed = await VideoFeed.open(source, clocks);
    if (feed) feeds.push(owner.use(feed));
  }

  return feeds;
};

const isChannel = (laid: LaidOut<Channel | VideoTrack>): laid is LaidOut<Channel> =>
  'silentCodecs' in laid.track;
const isVideo = (laid: LaidOut<Channel | VideoTrack>): laid is LaidOut<VideoTrack> => !isChannel(laid);

/**
 * Renders a recording into a file of the job's work folder, which must be there and empty, with bounded memory whatever
 * its length. Throws RenderError.
 */
export const render = async (job: Job, report: (progress: number) => void): Promise<Rendered> => {
  const { format } = job;
  if (format === 'tones' || format === 'masked tones') return renderTones(job, report);
  const progress = new Progress(report);
  const writing = progress.part(writingWeight * job.tracks.length, 1);
  await using owner = new AsyncDisposableStack();
  const channels = channelsOf(job.tracks);
  const pictured = format === 'mp4' ? videosOf(job.tracks).filter(({ uses }) => uses.size > 0) : [];
  const rate = sampleRateOf(channels);
  const tracks = await layOut<Channel | VideoTrack>(job.folder, [...channels, ...pictured], progress);
  const { files, notes } = await renderSound(job, tracks.filter(isChannel), rate, owner);
  const videos = await openVideos(tracks.filter(isVideo), owner);
  const starts = videos.map(({ startS }) => Math.floor(startS * rate));
  const span = spanOf(files, starts);
  let written = 0;
  const onFrames = (frames: number): void => writing((written += frames) / (span.end - span.start));
  const path = join(job.workFolder, `recording.${format}`);
  if (format === 'wav') {
    const target = await open(path, 'wx', 0o600);
    owner.defer(() => target.close());
    await interleave(files, span, target, rate, onFrames);
  } else {
    const { encode } = await import('./encode.ts');
    await encode({ format, files, span, sampleRate: rate, path, videos, onFrames });
  }

  return { path, notes };
};
