/** A stretch in which one SSRC sent one payload type in packets of one duration. Arrivals in ns. */
export type PayloadStretch = {
  readonly ssrc: number;
  readonly payloadType: number;
  readonly fromNs: number;
  readonly toNs: number;
  readonly packets: number;
  /** What a packet lasts, by timestamps; undefined where that was never seen twice, or the clock rate is unknown. */
  readonly ptimeMs: number | undefined;
};

type Stretch = { -readonly [K in keyof PayloadStretch]: PayloadStretch[K] };

/** A peer that changes its payload type forever is still counted, but not kept apart, past these. */
const maxStretches = 256;
/** Of which changes of the packet time alone begin at most these. */
const maxByPacketTime = 64;
/** No codec has longer packets: what is, is a pause. */
const longestPtimeMs = 500;

/** Which payload types came when. Allocates only where a stretch begins. */
export class PayloadStretches {
  readonly #all: Stretch[] = [];
  #last: Stretch | undefined;
  #sequenceNumber = -1;
  #timestamp = 0;
  /** Ticks between the last two packets in sequence: counts once it is seen twice in a row. */
  #ticks = 0;
  #byPacketTime = 0;
  readonly #timed: boolean;

  /** `timed`: packets follow each other at the pace of their timestamps, as those of audio do. */
  constructor(timed: boolean) {
    this.#timed = timed;
  }

  get all(): readonly PayloadStretch[] {
    return this.#all;
  }

  take(
    ssrc: number,
    payloadType: number,
    sequenceNumber: number,
    timestamp: number,
    clockRate: number | undefined,
    arrivalNs: number,
  ): void {
    const last = this.#last;
    if (last && last.ssrc === ssrc && last.payloadType === payloadType) {
      last.packets++;
      if (clockRate && this.#timed) this.#packetTime(last, sequenceNumber, timestamp, clockRate, arrivalNs);
      if (this.#last) this.#last.toNs = arrivalNs;
    } else {
      this.#begin(ssrc, payloadType, arrivalNs);
      this.#ticks = 0;
    }
    this.#sequenceNumber = sequenceNumber;
    this.#timestamp = timestamp;
  }

  /**
   * Ticks from one packet to the next by which the stretch goes on as it is; `any`: whatever they are. Undefined: the next packet may
   * tell something new.
   */
  pace(clockRate: number | undefined): number | 'any' | undefined {
    if (!clockRate || !this.#timed) return 'any';

    return this.#ticks > 0 && (this.#ticks * 1_000) / clockRate === this.#last?.ptimeMs
      ? this.#ticks
      : undefined;
  }

  /** Number and timestamp of the packet taken last. */
  get last(): { readonly sequenceNumber: number; readonly timestamp: number } {
    return { sequenceNumber: this.#sequenceNumber, timestamp: this.#timestamp };
  }

  /** Comes to the same as `take` of that many packets in sequence and at its pace, of which these are the last's. */
  takeFollowing(count: number, sequenceNumber: number, timestamp: number, arrivalNs: number): void {
    if (this.#last) {
      this.#last.packets += count;
      this.#last.toNs = arrivalNs;
    }
    this.#sequenceNumber = sequenceNumber;
    this.#timestamp = timestamp;
  }

  #packetTime(
    last: Stretch,
    sequenceNumber: number,
    timestamp: number,
    clockRate: number,
    arrivalNs: number,
  ): void {
    if (sequenceNumber !== ((this.#sequenceNumber + 1) & 0xffff)) return;
    const ticks = (timestamp - this.#timestamp) >>> 0;
    const seenTwice = ticks === this.#ticks;
    this.#ticks = ticks;
    const ptimeMs = (ticks * 1_000) / clockRate;
    if (!seenTwice || ticks === 0 || ptimeMs > longestPtimeMs || ptimeMs === last.ptimeMs) return;
    if (last.ptimeMs === undefined) {
      last.ptimeMs = ptimeMs;
    } else if (this.#byPacketTime < maxByPacketTime) {
      this.#byPacketTime++;
      // The packet that first had the new duration belongs to the new stretch, but only this one proves it.
      last.packets--;
      this.#begin(last.ssrc, last.payloadType, arrivalNs);
      if (this.#last) this.#last.ptimeMs = ptimeMs;
    }
  }

  #begin(ssrc: number, payloadType: number, arrivalNs: number): void {
    const last = this.#last;
    if (last && this.#all.length >= maxStretches) {
      last.packets++;
      last.toNs = arrivalNs;

      return;
    }
    this.#last = { ssrc, payloadType, fromNs: arrivalNs, toNs: arrivalNs, packets: 1, ptimeMs: undefined };
    this.#all.push(this.#last);
  }
}
