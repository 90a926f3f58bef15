/** Numbers by chance that are the same for the same seed (mulberry32). */
export type Random = {
  /** Evenly from 0 up to 1, never 1. */
  readonly next: () => number;
  /** A whole number from 0 to below `limit`. */
  readonly below: (limit: number) => number;
  /** How long something lasts that may end at any time alike. */
  readonly exponential: (mean: number) => number;
  /** How many of many independent things happen, where `mean` are expected. */
  readonly poisson: (mean: number) => number;
};

export const randomFrom = (seed: number): Random => {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;

    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000;
  };
  const exponential = (mean: number): number => -Math.log(1 - next()) * mean;

  return {
    next,
    exponential,
    below: (limit) => Math.floor(next() * limit),
    poisson: (mean) => {
      let count = 0;
      for (let passed = exponential(1); passed < mean; passed += exponential(1)) count += 1;

      return count;
    },
  };
};
