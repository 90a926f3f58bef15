/** Samples at a place in the output, counted from the start of the session. */
export type Placed = { readonly position: number; readonly samples: Int16Array };

/** Where input goes: sample `i` belongs at `origin + i · step` of the output. */
export type SampleMap = { readonly origin: number; readonly step: number };

/** Zero crossings of the sinc on each side: 64 taps, a flat band up to 0.45 of the lower rate, 80 dB beyond. */
const sideLobes = 32;
const kaiserBeta = 8;
/** Where the band ends, as a part of half the lower rate. */
const band = 0.97;
/** Places between two input samples that are told apart: what lies between is 76 dB below. */
const phases = 4_096;

/** Modified Bessel function of the first kind, order 0, by its series. */
const bessel = (x: number): number => {
  let sum = 1;
  let term = 1;
  for (let k = 1; term > 1e-12 * sum; k++) {
    term *= (x / (2 * k)) ** 2;
    sum += term;
  }

  return sum;
};

const besselOfBeta = bessel(kaiserBeta);

/** The windowed sinc, `x` in zero crossings from its middle. */
const kernel = (x: number): number => {
  if (Math.abs(x) >= sideLobes) return 0;
  const sinc = x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x);

  return (sinc * bessel(kaiserBeta * Math.sqrt(1 - (x / sideLobes) ** 2))) / besselOfBeta;
};

/** The weights of the input samples around a place, by how far it lies behind one of them. */
class Weights {
  /** Input samples needed on each side. */
  readonly reach: number;
  readonly #scale: number;
  readonly #rows: (Float32Array | undefined)[] = [];

  constructor(step: number) {
    this.#scale = Math.min(1, step) * band;
    this.reach = Math.ceil(sideLobes / this.#scale);
  }

  /** Weights of the samples from `reach − 1` before to `reach` behind, for a place `phase / phases` after one. */
  row(phase: number): Float32Array {
    return (this.#rows[phase] ??= Float32Array.from(
      { length: 2 * this.reach },
      (_, k) => kernel((k - this.reach + 1 - phase / phases) * this.#scale) * this.#scale,
    ));
  }
}

/** Weights are many, and the same for each run of a sender: those of a few steps are kept. */
const kept = new Map<number, Weights>();
const mostKept = 16;

const weightsFor = (step: number): Weights => {
  const known = kept.get(step) ?? new Weights(step);
  if (kept.size >= mostKept) kept.clear();
  kept.set(step, known);

  return known;
};

const dot = (samples: Float32Array, from: number, weights: Float32Array): number => {
  let even = 0;
  let odd = 0;
  // There is always an even number of them.
  for (let k = 0; k < weights.length; k += 2) {
    even += samples[from + k]! * weights[k]!;
    odd += samples[from + k + 1]! * weights[k + 1]!;
  }

  return even + odd;
};

const none = new Int16Array(0);

/**
 * Resamples one unbroken run of samples by a windowed sinc (Kaiser). Nothing accumulates: each output sample is computed
 * for its own place. What lies outside the run counts as silence.
 */
export class Resampler {
  readonly #map: SampleMap;
  readonly #weights: Weights;
  #history: Float32Array;
  /** Input index of the history's first sample, and how many it holds. */
  #base: number;
  #held: number;
  #next: number;

  constructor(map: SampleMap) {
    this.#map = map;
    this.#weights = weightsFor(map.step);
    const { reach } = this.#weights;
    // As much silence before the first sample as its neighbourhood needs.
    this.#history = new Float32Array(16_384);
    this.#base = -reach;
    this.#held = reach;
    this.#next = Math.ceil(map.origin - 1e-6);
  }

  /** Takes the next samples; returns what can be computed by now. */
  push(samples: Int16Array): Placed {
    this.#append(samples);

    return this.#emit(this.#base + this.#held - this.#weights.reach - 1);
  }

  /** The run ends here: the rest. */
  finish(): Placed {
    const end = this.#base + this.#held;
    this.#append(new Int16Array(this.#weights.reach + 1));

    return this.#emit(end);
  }

  #append(samples: Int16Array): void {
    const needed = this.#held + samples.length;
    if (needed > this.#history.length) {
      const larger = new Float32Array(needed * 2);
      larger.set(this.#history.subarray(0, this.#held));
      this.#history = larger;
    }
    this.#history.set(samples, this.#held);
    this.#held = needed;
  }

  /** Computes output as long as it lies before input index `until`. */
  #emit(until: number): Placed {
    const { origin, step } = this.#map;
    const position = this.#next;
    const end = Math.ceil(origin + until * step - 1e-6);
    if (end <= position) return { position, samples: none };
    const samples = new Int16Array(end - position);
    for (let i = 0; i < samples.length; i++) samples[i] = this.#at((position + i - origin) / step);
    this.#next = end;
    this.#forget(Math.floor((end - origin) / step) - this.#weights.reach - 1);

    return { position, samples };
  }

  #at(t: number): number {
    const before = Math.floor(t);
    const phase = Math.round((t - before) * phases);
    const row = this.#weights.row(phase);
    const from = before - this.#weights.reach + 1 - this.#base;
    const sum = dot(this.#history, from, row);

    return Math.max(-32_768, Math.min(32_767, Math.round(sum)));
  }

  #forget(before: number): void {
    const count = before - this.#base;
    if (count < 4_096) return;
    this.#history.copyWithin(0, count, this.#held);
    this.#held -= count;
    this.#base = before;
  }
}
