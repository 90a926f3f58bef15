import type { FileHandle } from 'node:fs/promises';
import { fitsWav, formatWavHeader } from '../core/wav.ts';
import type { MonoFile } from './mono-file.ts';
import { tooLarge } from './render-track.ts';

/** Frames read and written at a time. */
const blockFrames = 32_768;

const writeAll = async (file: FileHandle, bytes: Uint8Array): Promise<void> => {
  for (let written = 0; written < bytes.length;) {
    written += (await file.write(bytes, written, bytes.length - written)).bytesWritten;
  }
};

/**
 * Writes a WAV file with one channel for each mono file, from the first sample of any to the last of any; a channel is
 * silent where it has none. Throws ExportError `WAV_TOO_LARGE`.
 */
export const interleave = async (
  channels: readonly MonoFile[],
  target: FileHandle,
  sampleRate: number,
): Promise<void> => {
  const heard = channels.filter(({ start, end }) => end > start);
  const start = heard.length === 0 ? 0 : Math.min(...heard.map((channel) => channel.start));
  const end = heard.length === 0 ? 0 : Math.max(...heard.map((channel) => channel.end));
  const format = { channels: channels.length, sampleRate, frames: end - start };
  if (!fitsWav(format)) throw tooLarge();

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
  }
};
