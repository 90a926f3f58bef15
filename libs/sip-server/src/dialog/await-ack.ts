import type { Timing } from '../transaction/machine.ts';

/** A 2xx of ours that waits for its ACK: repeated from T1 up to T2 over UDP, given up after 64*T1 (RFC 3261 §13.3.1.4). */
export class AwaitAck {
  /** Transaction of the INVITE that the 2xx answers. */
  readonly transactionId: string;
  readonly #giveUp: NodeJS.Timeout;
  #repeat: NodeJS.Timeout | undefined;

  constructor(
    transactionId: string,
    timing: Timing,
    reliable: boolean,
    resend: () => void,
    gaveUp: () => void,
  ) {
    this.transactionId = transactionId;
    this.#giveUp = setTimeout(() => {
      this.stop();
      gaveUp();
    }, 64 * timing.t1);
    if (!reliable) this.#repeatAfter(timing.t1, timing.t2, resend);
  }

  stop(): void {
    clearTimeout(this.#giveUp);
    clearTimeout(this.#repeat);
  }

  #repeatAfter(ms: number, longestMs: number, resend: () => void): void {
    this.#repeat = setTimeout(() => {
      resend();
      this.#repeatAfter(Math.min(2 * ms, longestMs), longestMs, resend);
    }, ms);
  }
}
