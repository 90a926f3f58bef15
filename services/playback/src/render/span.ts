import type { MonoFile } from './mono-file.ts';

/** From the first sample of any channel to behind the last of any. */
export type Span = { readonly start: number; readonly end: number };

export const spanOf = (channels: readonly MonoFile[]): Span => {
  const heard = channels.filter(({ start, end }) => end > start);
  if (heard.length === 0) return { start: 0, end: 0 };

  return {
    start: Math.min(...heard.map(({ start }) => start)),
    end: Math.max(...heard.map(({ end }) => end)),
  };
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
