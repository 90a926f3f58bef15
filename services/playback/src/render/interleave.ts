import type { FileHandle } from 'node:fs/promises';
import { fitsWav, formatWavHeader } from '../core/wav.ts';
import { RenderError } from './errors.ts';
import type { MonoFile } from './mono-file.ts';
import type { Span } from './span.ts';

/** Frames read and written at a time. */
const blockFrames = 32_768;

const writeAll = async (file: FileHandle, bytes: Uint8Array): Promise<void> => {
  for (let written = 0; written < bytes.length;) {
    written += (await file.write(bytes, written, bytes.length - written)).bytesWritten;
  }
};

/**
 * Writes a WAV file with one channel for each mono file over the span; a channel is silent where it has no samples.
 * Throws RenderError `TOO_LONG`.
 */
export const interleave = async (
  channels: readonly MonoFile[],
  { start, end }: Span,
  target: FileHandle,
  sampleRate: number,
  onFrames: (frames: number) => void,
): Promise<void> => {
  const format = { channels: channels.length, sampleRate, frames: end - start };
  if (!fitsWav(format)) throw new RenderError('TOO_LONG');

  await writeAll(target, formatWavHeader(format));
  const mono = new Int16Array(blockFrames);
  const frames = new Int16Array(blockFrames * channels.length);
  for (let at = start; at < end; at += blockFrames) {
    for (const [index, channel] of channels.entries()) {
      await channel.read(at, mono);
      for (let i = 0, out = index; i < blockFrames; i++, out += channels.length) frames[out] = mono[i] ?? 0;
    }
    const length = Math.min(blockFrames, end - at) * channels.length;
    await writeAll(target, new Uint8Array(frames.buffer, 0, length * 2));
    onFrames(Math.min(blockFrames, end - at));
  }
};
