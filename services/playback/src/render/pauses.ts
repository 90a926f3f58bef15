import { readComfortNoise } from '@reelstream/rtp/payload';
import type { PayloadUse } from '../codec/channels.ts';
import { NoiseSource } from '../core/noise.ts';
import type { Pcm } from './decoder.ts';

/** A packet in the order of its source. */
type Heard = {
  readonly segment: number;
  readonly ticks: number;
  /** It follows the one before it without loss. */
  readonly follows: boolean;
  readonly use: PayloadUse;
  readonly payload: Uint8Array;
};

type Pause = { readonly noise: NoiseSource; readonly clockRate: number; ticks: number };

/** Samples made at a time. */
const blockSamples = 8_192;

/**
 * The pauses of a track's senders, filled with the comfort noise that they describe (RFC 3389), up to the packet behind
 * it. Where a packet is missing nobody knows what was there: that pause stays silent, as one that nothing describes.
 */
export class Pauses {
  readonly #open = new Map<number, Pause>();

  /** What is heard between the last packet and this one, in order. */
  *until(heard: Heard): Generator<{ readonly timestamp: number; readonly pcm: Pcm }> {
    const { segment, ticks, follows, use, payload } = heard;
    const pause = this.#open.get(segment);
    // Tones lie on the timestamp at which they began: they end no pause.
    if (use.kind === 'tones' && follows) return;
    if (pause && follows) yield* fill(pause, ticks);
    const said = use.kind === 'noise' ? readComfortNoise(payload) : undefined;
    if (!said || use.kind !== 'noise') return void this.#open.delete(segment);
    const noise = pause?.noise ?? new NoiseSource();
    noise.become(said);
    this.#open.set(segment, { noise, clockRate: use.clockRate, ticks });
  }
}

function* fill(
  pause: Pause,
  untilTicks: number,
): Generator<{ readonly timestamp: number; readonly pcm: Pcm }> {
  const { noise, clockRate } = pause;
  while (pause.ticks < untilTicks) {
    const timestamp = pause.ticks;
    const samples = noise.take(Math.min(blockSamples, untilTicks - timestamp));
    pause.ticks += samples.length;
    yield { timestamp, pcm: { samples, sampleRate: clockRate } };
  }
}
