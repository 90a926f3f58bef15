/** Memory of a process at times. */
export type Sample = { readonly minutes: number; readonly bytes: number };

/** Bytes a minute by which it grows: the slope of the line nearest to all samples (least squares). */
export const slopeOf = (samples: readonly Sample[]): number => {
  const mean = (of: (sample: Sample) => number): number =>
    samples.reduce((sum, sample) => sum + of(sample), 0) / samples.length;
  const [middle, level] = [mean(({ minutes }) => minutes), mean(({ bytes }) => bytes)];
  const spread = mean(({ minutes }) => (minutes - middle) ** 2);

  return mean(({ minutes, bytes }) => (minutes - middle) * (bytes - level)) / spread;
};
