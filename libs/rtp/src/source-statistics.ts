/** Sequence numbers of one SSRC, as RFC 3550 appendix A.1, A.3 and A.8 account for them. */
import { nextJitter } from './jitter.ts';
import type { JitterState } from './jitter.ts';

const maxDropout = 3_000;
const maxMisorder = 100;
const modulus = 0x10000;
/** Numbers of which is remembered whether they came: more than can be late without being a jump. */
const windowBits = 256;

export class SourceStatistics {
  readonly ssrc: number;
  /** Interarrival jitter in timestamp units (A.8); 0 until two packets came. */
  jitter = 0;
  highestJitter = 0;
  /** Packets that came twice or more, each time but the first. */
  duplicates = 0;
  /** Packets that came behind one of a higher number, for the first time. */
  reordered = 0;
  /** Stretches of numbers that were skipped, be it that they came later. */
  skips = 0;
  #base: number;
  #highest: number;
  #cycles = 0;
  #received = 0;
  #bad = -1;
  /** Expected and received before the sender restarted its numbers. */
  #earlierExpected = 0;
  #earlierReceived = 0;
  #lastTransit: number | undefined;
  #jitterSum = 0;
  #jitterCount = 0;
  readonly #came = new Uint32Array(windowBits / 32);

  constructor(ssrc: number, firstSequenceNumber: number) {
    this.ssrc = ssrc;
    this.#base = firstSequenceNumber;
    this.#highest = firstSequenceNumber;
  }

  /** Highest sequence number, extended by the number of wraps in the upper 16 bits (of 32 in a report). */
  get extendedHighest(): number {
    return this.#cycles + this.#highest;
  }

  get expected(): number {
    return this.#earlierExpected + this.extendedHighest - this.#base + 1;
  }

  get received(): number {
    return this.#earlierReceived + this.#received;
  }

  /** A.3: below zero where there were more duplicates than losses. */
  get lost(): number {
    return this.expected - this.received;
  }

  /** Packets that never came: unlike A.3's figure, duplicates don't make up for them. */
  get missing(): number {
    return Math.max(0, this.lost + this.duplicates);
  }

  /** Mean of the jitter after each packet, in timestamp units. */
  get meanJitter(): number {
    return this.#jitterCount === 0 ? 0 : this.#jitterSum / this.#jitterCount;
  }

  /**
   * Accounts for one packet; returns how many numbers were skipped before it (0 where it follows, is late or doubled).
   * There is no probation as in A.1: a recorder counts the first packet too.
   */
  take(sequenceNumber: number): number {
    const ahead = (sequenceNumber - this.#highest + modulus) % modulus;
    if (ahead >= maxDropout && ahead <= modulus - maxMisorder) return this.#jump(sequenceNumber);

    this.#bad = -1;
    this.#received++;
    if (ahead === 0 || ahead >= maxDropout) return this.#late(sequenceNumber, ahead);
    this.#forget(sequenceNumber, ahead);
    if (sequenceNumber < this.#highest) this.#cycles += modulus;
    this.#highest = sequenceNumber;
    if (ahead > 1) this.skips++;

    return ahead - 1;
  }

  /** A.8. `arrival` in the units of the RTP timestamp, from any origin. */
  takeTransit(arrival: number, timestamp: number): void {
    const transit = arrival - timestamp;
    if (this.#lastTransit !== undefined) {
      this.jitter = nextJitter(this.jitter, this.#lastTransit, transit);
      if (this.jitter > this.highestJitter) this.highestJitter = this.jitter;
      this.#jitterSum += this.jitter;
      this.#jitterCount++;
    }
    this.#lastTransit = transit;
  }

  /** The number of the packet taken last, where that is the highest, and so the next one follows it. */
  isAt(sequenceNumber: number): boolean {
    return sequenceNumber === this.#highest && this.#bad < 0;
  }

  /** What `takeTransit` goes on from; undefined before the first packet. */
  get jitterState(): JitterState | undefined {
    if (this.#lastTransit === undefined) return undefined;

    return {
      transit: this.#lastTransit,
      jitter: this.jitter,
      highest: this.highestJitter,
      sum: this.#jitterSum,
    };
  }

  /** Comes to the same as `take` of that many numbers that follow the highest. */
  takeFollowing(count: number): void {
    const highest = this.#highest + count;
    this.#bad = -1;
    this.#received += count;
    if (count >= windowBits) this.#came.fill(0xffff_ffff);
    else for (let number = this.#highest; number <= highest; number++) this.#mark(number % modulus);
    this.#highest = highest % modulus;
    this.#cycles += highest - this.#highest;
  }

  /** Comes to the same as `takeTransit` of that many packets, after which it stands so. */
  takeJitter(count: number, { transit, jitter, highest, sum }: JitterState): void {
    this.#lastTransit = transit;
    this.jitter = jitter;
    this.highestJitter = highest;
    this.#jitterSum = sum;
    this.#jitterCount += count;
  }

  /** The next packet has another clock or origin: don't compare across. */
  forgetTransit(): void {
    this.#lastTransit = undefined;
  }

  /** Of a number at or below the highest, which came before, unless it is the very first. */
  #late(sequenceNumber: number, ahead: number): number {
    if (ahead === 0) this.duplicates += this.#received > 1 ? 1 : 0;
    else if (this.#mark(sequenceNumber)) this.reordered++;
    else this.duplicates++;

    return 0;
  }

  /** Marks a number as come; false where it was marked. */
  #mark(sequenceNumber: number): boolean {
    const bit = sequenceNumber % windowBits;
    const word = this.#came[bit >> 5]!;
    this.#came[bit >> 5] = word | (1 << (bit & 31));

    return (word & (1 << (bit & 31))) === 0;
  }

  /** The window moves ahead to a number, which has come; those between have not. */
  #forget(sequenceNumber: number, ahead: number): void {
    this.#mark(this.#highest);
    for (let skipped = Math.min(ahead, windowBits) - 1; skipped > 0; skipped--) {
      const bit = (sequenceNumber - skipped + modulus) % windowBits;
      this.#came[bit >> 5] = this.#came[bit >> 5]! & ~(1 << (bit & 31));
    }
    const bit = sequenceNumber % windowBits;
    this.#came[bit >> 5] = this.#came[bit >> 5]! | (1 << (bit & 31));
  }

  /** A far jump counts once a second packet follows it: then the sender has restarted its numbers. */
  #jump(sequenceNumber: number): number {
    if (sequenceNumber !== this.#bad) {
      this.#bad = (sequenceNumber + 1) % modulus;

      return 0;
    }
    this.#earlierExpected = this.expected;
    this.#earlierReceived = this.received;
    // The packet that jumped first was not counted; it belongs to the new run as much as this one.
    this.#base = (sequenceNumber - 1 + modulus) % modulus;
    this.#highest = sequenceNumber;
    this.#cycles = this.#highest < this.#base ? modulus : 0;
    this.#received = 2;
    this.#bad = -1;
    this.#came.fill(0);
    this.#mark(this.#base);
    this.#mark(this.#highest);

    return 0;
  }
}
