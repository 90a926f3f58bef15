/** How well heard samples agree with what was said. */
export type Match = {
  /** Samples that what was heard comes later. */
  readonly lag: number;
  /** Normalised cross-correlation at that lag, 1 where both are the same but for their level. */
  readonly correlation: number;
  /** Level of what was heard over that of what was said, in dB. */
  readonly levelDb: number;
};

const at = (samples: ArrayLike<number>, i: number): number =>
  i >= 0 && i < samples.length ? samples[i]! : 0;

const energy = (samples: ArrayLike<number>, from: number, count: number): number => {
  let sum = 0;
  for (let i = 0; i < count; i++) sum += at(samples, from + i) ** 2;

  return sum;
};

/** Finds the lag, from `least` to `most`, at which `heard` agrees best with `said`; both of the same rate. */
export const match = (
  said: ArrayLike<number>,
  heard: ArrayLike<number>,
  [least, most]: readonly [number, number],
): Match => {
  let best: Match = { lag: 0, correlation: -1, levelDb: -Infinity };
  const saidEnergy = energy(said, 0, said.length);
  for (let lag = least; lag <= most; lag++) {
    let product = 0;
    for (let i = 0; i < said.length; i++) product += at(said, i) * at(heard, i + lag);
    const heardEnergy = energy(heard, lag, said.length);
    const correlation = product / Math.sqrt(saidEnergy * heardEnergy || 1);
    if (correlation > best.correlation)
      best = { lag, correlation, levelDb: 10 * Math.log10(heardEnergy / saidEnergy) };
  }

  return best;
};

/** Where two runs of samples begin to differ, -1 where they are the same: a word on a million samples, said at once. */
export const firstDifference = (samples: Int16Array | undefined, expected: Int16Array): number => {
  if (!samples) return 0;
  const most = Math.max(samples.length, expected.length);
  for (let i = 0; i < most; i++) if (samples[i] !== expected[i]) return i;

  return -1;
};

/** Every `factor`-th sample: fair where nothing lies above the new half rate. */
export const thinned = (samples: Int16Array, factor: number): Int16Array =>
  Int16Array.from({ length: Math.floor(samples.length / factor) }, (_, i) => samples[i * factor]!);
