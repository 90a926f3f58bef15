import type { ComfortNoise } from '@reelstream/rtp/payload';

/** Root mean square of a square wave at full scale, which levels of noise are told against (RFC 3389 §3.1). */
const overload = 32_768;

/** So that the same recording is the same file each time. */
const seed = 0x2545_f491;

/** Pseudo-random numbers of mean 0 and variance 1, evenly spread (xorshift, 32 bits). */
class White {
  #state = seed;

  next(): number {
    let state = this.#state;
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    this.#state = state;

    return (state / 2 ** 31) * Math.sqrt(3);
  }
}

/**
 * Noise of a level and a spectrum: white noise through the lattice form of an all-pole filter, of which reflection
 * coefficients between −1 and 1 make a stable one. It is the same each time.
 */
export class NoiseSource {
  readonly #white = new White();
  #gain = 0;
  #reflection: readonly number[] = [];
  /** Backward errors of the lattice, one for each stage. */
  #backward = new Float64Array(0);

  /** How it sounds from now on. */
  become({ levelDbov, reflection }: ComfortNoise): void {
    // What the filter adds to the power of white noise.
    const power = reflection.reduce((product, k) => product / (1 - k * k), 1);
    this.#gain = (overload * 10 ** (levelDbov / 20)) / Math.sqrt(power);
    if (reflection.length !== this.#reflection.length) this.#backward = new Float64Array(reflection.length);
    this.#reflection = reflection;
  }

  take(count: number): Int16Array {
    const samples = new Int16Array(count);
    for (let i = 0; i < count; i++)
      samples[i] = Math.max(-32_768, Math.min(32_767, Math.round(this.#next())));

    return samples;
  }

  #next(): number {
    const reflection = this.#reflection;
    const backward = this.#backward;
    let forward = this.#gain * this.#white.next();
    for (let stage = reflection.length - 1; stage >= 0; stage--) {
      const k = reflection[stage]!;
      forward -= k * backward[stage]!;
      if (stage + 1 < backward.length) backward[stage + 1] = backward[stage]! + k * forward;
    }
    if (backward.length > 0) backward[0] = forward;

    return forward;
  }
}
