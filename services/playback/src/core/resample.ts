/** Samples at a place in the output, counted from the start of the session. */
export type Placed = { readonly position: number; readonly samples: Int16Array };

/** Where input goes: sample `i` belongs at `origin + i · step` of the output. */
export type SampleMap = { readonly origin: number; readonly step: number };

/** Zero crossings of the sinc on each side: 64 taps, a flat band up to 0.45 of the lower rate, 80 dB beyond. */
const sideLobes = 32;
const phases = 256;
const kaiserBeta = 8;
/** Where the band ends, as a part of half the lower rate. */
const band = 0.97;

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

/** The right half of the kernel, `phases` values for each crossing, the last one 0. */
const halfKernel = (): Float64Array =>
  Float64Array.from({ length: sideLobes * phases + 2 }, (_, i) => {
    const x = i / phases;
    if (x >= sideLobes) return 0;
    const sinc = x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x);

    return (sinc * bessel(kaiserBeta * Math.sqrt(1 - (x / sideLobes) ** 2))) / bessel(kaiserBeta);
  });

const kernel = halfKernel();
const none = new Int16Array(0);

/**
 * Resamples one unbroken run of samples by a windowed sinc (Kaiser). Nothing accumulates: each output sample is computed
 * for its own place. What lies outside the run counts as silence.
 */
export class Resampler {
  readonly #map: SampleMap;
  readonly #scale: number;
  /** Input samples needed on each side. */
  readonly #reach: number;
  #history = new Float64Array(8_192);
  /** Input index of the history's first sample, and how many it holds. */
  #base = 0;
  #held = 0;
  #next: number;

  constructor(map: SampleMap) {
    this.#map = map;
    this.#scale = Math.min(1, map.step) * band;
    this.#reach = Math.ceil(sideLobes / this.#scale);
    this.#next = Math.ceil(map.origin - 1e-6);
  }

  /** Takes the next samples; returns what can be computed by now. */
  push(samples: Int16Array): Placed {
    this.#append(samples);

    return this.#emit(this.#base + this.#held - this.#reach);
  }

  /** The run ends here: the rest. */
  finish(): Placed {
    return this.#emit(this.#base + this.#held);
  }

  #append(samples: Int16Array): void {
    const needed = this.#held + samples.length;
    if (needed > this.#history.length) {
      const larger = new Float64Array(needed * 2);
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
    this.#forget(Math.floor((end - origin) / step) - this.#reach);

    return { position, samples };
  }

  #at(t: number): number {
    const scale = this.#scale;
    const first = Math.max(this.#base, Math.ceil(t - sideLobes / scale));
    const last = Math.min(this.#base + this.#held - 1, Math.floor(t + sideLobes / scale));
    let sum = 0;
    for (let i = first; i <= last; i++) {
      const x = Math.abs(t - i) * scale * phases;
      const k = x | 0;
      const a = kernel[k]!;
      sum += this.#history[i - this.#base]! * (a + (kernel[k + 1]! - a) * (x - k));
    }

    return Math.max(-32_768, Math.min(32_767, Math.round(sum * scale)));
  }

  #forget(before: number): void {
    const count = before - this.#base;
    if (count < 4_096) return;
    this.#history.copyWithin(0, count, this.#held);
    this.#held -= count;
    this.#base = before;
  }
}
