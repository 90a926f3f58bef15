/** How far back a packet may come and still be told from a replay (RFC 3711 §3.3.2 wants 64 at least). */
const windowSize = 256;
const words = windowSize / 32;
const half = 0x8000;
const wrap = 0x10000;

/** Where a stream stands: what is needed to go on with it elsewhere. */
export type Rollover = {
  readonly ssrc: number;
  /** Rollover counter: how often the sequence number has wrapped. */
  readonly roc: number;
  /** Highest sequence number received under it. */
  readonly sequence: number;
};

/** Which of the last indices came already. An index is of an RTP packet (48 bits) or of an SRTCP packet (31 bits). */
export class ReplayWindow {
  #highest = -1;
  readonly #seen = new Uint32Array(words);

  get highest(): number {
    return this.#highest;
  }

  /** `fresh`: take it; `seen`; `old`: too far back to know. */
  check(index: number): 'fresh' | 'seen' | 'old' {
    if (index > this.#highest) return 'fresh';
    if (index <= this.#highest - windowSize) return 'old';

    return this.#seen[this.#word(index)]! & (1 << (index & 31)) ? 'seen' : 'fresh';
  }

  /** Only for a packet that was authenticated. */
  take(index: number): void {
    if (index > this.#highest) this.#advance(index);
    this.#seen[this.#word(index)]! |= 1 << (index & 31);
  }

  /** Everything up to `index` counts as seen. */
  begin(index: number): void {
    this.#highest = index;
    this.#seen.fill(0xffffffff);
  }

  #word(index: number): number {
    return Math.floor(index / 32) % words;
  }

  #advance(index: number): void {
    if (index - this.#highest >= windowSize) this.#seen.fill(0);
    else {
      for (let each = this.#highest + 1; each <= index; each++)
        this.#seen[this.#word(each)]! &= ~(1 << (each & 31));
    }
    this.#highest = index;
  }
}

/** RFC 3711 §3.3.1 and appendix A: the rollover counter of a packet, from the highest index so far. May be -1. */
export const guessRoc = (highest: number, sequence: number): number => {
  if (highest < 0) return 0;
  const roc = Math.floor(highest / wrap);
  const last = highest % wrap;
  if (last < half) return sequence - last > half ? roc - 1 : roc;

  return last - half > sequence ? roc + 1 : roc;
};

export const indexOf = (roc: number, sequence: number): number => roc * wrap + sequence;

export const rolloverOf = (ssrc: number, index: number): Rollover => ({
  ssrc,
  roc: Math.floor(index / wrap),
  sequence: index % wrap,
});
