import type { TelephoneEvent } from '@reelstream/rtp/payload';

/** A key that was pressed, as its packets tell it (RFC 4733). */
export type Tone = {
  readonly trackNumber: number;
  readonly event: string;
  /** Since the start of the session. */
  readonly offsetMs: number;
  readonly durationMs: number;
};

type Heard = {
  readonly event: string;
  readonly startS: number;
  duration: number;
  readonly clockRate: number;
};

/** The tones of one track: all packets of one event carry the timestamp of its start. */
export class ToneList {
  readonly #trackNumber: number;
  readonly #tones = new Map<string, Heard>();

  constructor(trackNumber: number) {
    this.#trackNumber = trackNumber;
  }

  /** `key` tells one start from another: segment and timestamp. */
  add(key: string, startS: number, clockRate: number, { event, duration }: TelephoneEvent): void {
    const known = this.#tones.get(key);
    if (known) known.duration = Math.max(known.duration, duration);
    else if (this.#tones.size < 10_000) this.#tones.set(key, { event, startS, duration, clockRate });
  }

  /** In order of their start. */
  list(): readonly Tone[] {
    return [...this.#tones.values()]
      .map(({ event, startS, duration, clockRate }) => ({
        trackNumber: this.#trackNumber,
        event,
        offsetMs: Math.max(0, Math.round(startS * 1_000)),
        durationMs: Math.round((duration / clockRate) * 1_000),
      }))
      .toSorted((a, b) => a.offsetMs - b.offsetMs);
  }
}
