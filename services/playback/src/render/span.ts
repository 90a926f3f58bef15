import type { MonoFile } from './mono-file.ts';

/**
 * From the start of the session to behind the last sample of any channel, in samples since that start: an offset in the
 * session is an offset in the file. What lies before it, as a clock's fit may have it, begins the file.
 */
export type Span = { readonly start: number; readonly end: number };

/** `pictures`: where the first picture of each video lies, in samples. */
export const spanOf = (channels: readonly MonoFile[], pictures: readonly number[] = []): Span => {
  const heard = channels.filter(({ start, end }) => end > start);
  const start = Math.min(0, ...heard.map((file) => file.start), ...pictures);

  return { start, end: Math.max(start, ...heard.map(({ end }) => end)) };
};

/**
 * Two channels at most from any number: one track is mono; of more the first is left and the second right, and so on
 * in turns, added up.
 */
export class StereoReader {
  readonly channels: 1 | 2;
  readonly #files: readonly MonoFile[];

  constructor(files: readonly MonoFile[]) {
    this.#files = files;
    this.channels = files.length < 2 ? 1 : 2;
  }

  /** Samples of each channel from a position on. */
  async read(position: number, count: number): Promise<readonly Int16Array[]> {
    const sums = Array.from({ length: this.channels }, () => new Int16Array(count));
    const one = new Int16Array(count);
    for (const [n, file] of this.#files.entries()) {
      await file.read(position, one);
      const sum = sums[n % this.channels]!;
      for (let i = 0; i < count; i++) sum[i] = Math.max(-32_768, Math.min(32_767, sum[i]! + one[i]!));
    }

    return sums;
  }
}
