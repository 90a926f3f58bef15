import { secondsAt } from '../core/layout.ts';
import type { SegmentClock } from '../core/layout.ts';
import { Resampler } from '../core/resample.ts';
import type { Pcm } from './decoder.ts';
import type { MonoFile } from './mono-file.ts';

/** Samples that follow one another without a pause. */
type Run = {
  readonly clock: SegmentClock;
  readonly sampleRate: number;
  /** Undefined where samples are written as they are. */
  readonly resampler: Resampler | undefined;
  nextTicks: number;
};

/** A timestamp this many samples off is rounded differently, no pause. */
const sloppiness = 2;

/**
 * Writes decoded frames at their places on the common clock. Where the rates agree and no drift is to be corrected, the
 * samples are written untouched; otherwise they are resampled in unbroken runs.
 */
export class RunWriter {
  readonly #target: MonoFile;
  readonly #rate: number;
  #run: Run | undefined;

  /** `rate`: the target's, in Hz. */
  constructor(target: MonoFile, rate: number) {
    this.#target = target;
    this.#rate = rate;
  }

  async write(clock: SegmentClock, ticks: number, { samples, sampleRate }: Pcm): Promise<void> {
    if (samples.length === 0) return;
    const position = this.#position(clock, ticks);
    if (!this.#continues(clock, ticks, sampleRate)) await this.#begin(clock, ticks, sampleRate, position);
    const run = this.#run!;
    run.nextTicks += (samples.length * clock.clockRate) / sampleRate;
    if (!run.resampler) return this.#target.write(Math.round(position), samples);
    const done = run.resampler.push(samples);
    await this.#target.write(done.position, done.samples);
  }

  async finish(): Promise<void> {
    const rest = this.#run?.resampler?.finish();
    this.#run = undefined;
    if (rest) await this.#target.write(rest.position, rest.samples);
  }

  /** Where a timestamp lies, in samples of the target; a whole number where nothing needs resampling. */
  #position(clock: SegmentClock, ticks: number): number {
    if (clock.drift !== 0) return secondsAt(clock, ticks) * this.#rate;

    return Math.round(clock.originS * this.#rate) + (ticks * this.#rate) / clock.clockRate;
  }

  #continues(clock: SegmentClock, ticks: number, sampleRate: number): boolean {
    const run = this.#run;
    if (!run || run.clock !== clock || run.sampleRate !== sampleRate) return false;

    return Math.abs(ticks - run.nextTicks) <= (sloppiness * clock.clockRate) / sampleRate;
  }

  async #begin(clock: SegmentClock, ticks: number, sampleRate: number, position: number): Promise<void> {
    await this.finish();
    const exact = clock.drift === 0 && sampleRate === this.#rate;
    const step = (this.#rate / sampleRate) * (1 + clock.drift);
    const resampler = exact ? undefined : new Resampler({ origin: position, step });
    this.#run = { clock, sampleRate, resampler, nextTicks: ticks };
  }
}
