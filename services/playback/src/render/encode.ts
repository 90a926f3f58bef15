import { encodings } from '../core/formats.ts';
import type { Format } from '../core/formats.ts';
import { AudioEncoder } from './audio-encoder.ts';
import type { MonoFile } from './mono-file.ts';
import { Muxer } from './muxer.ts';
import { StereoReader } from './span.ts';
import type { Span } from './span.ts';
import type { VideoFeed } from './video-feed.ts';

export type EncodeJob = {
  readonly format: Exclude<Format, 'wav'>;
  readonly files: readonly MonoFile[];
  readonly span: Span;
  readonly sampleRate: number;
  readonly path: string;
  /** Pictures to be put beside the sound, on the same clock. */
  readonly videos: readonly VideoFeed[];
  readonly onFrames: (frames: number) => void;
};

const muxerOptions = {
  // The index goes to the front, so that players can begin before they have everything.
  mp4: { movflags: '+faststart' },
  opus: {},
  mp3: {},
} as const;

/** Encodes mono files, and pictures in MP4, into one file. */
export const encode = async (job: EncodeJob): Promise<void> => {
  const { span, sampleRate, videos } = job;
  const encoding = encodings[job.format];
  const reader = new StereoReader(job.files);
  using muxer = new Muxer(encoding.muxer, job.path);
  let audio = -1;
  using encoder = new AudioEncoder(encoding, { sampleRate, channels: reader.channels }, (packet) =>
    muxer.write(audio, packet),
  );
  audio = muxer.add(encoder.context);
  for (const video of videos) video.addTo(muxer);
  muxer.begin(muxerOptions[job.format]);
  const zeroS = span.start / sampleRate;
  const blocks = Math.max(1, Math.floor(sampleRate / encoder.frameSize));
  for (let at = span.start; at < span.end;) {
    const count = Math.min(blocks * encoder.frameSize, span.end - at);
    const channels = await reader.read(at, count);
    for (let from = 0; from < count; from += encoder.frameSize)
      encoder.encode(channels.map((samples) => samples.subarray(from, from + encoder.frameSize)));
    at += count;
    for (const video of videos) await video.writeUntil(muxer, at / sampleRate, zeroS);
    job.onFrames(count);
  }
  for (const video of videos) await video.writeUntil(muxer, Number.POSITIVE_INFINITY, zeroS);
  encoder.finish();
  muxer.end();
};
