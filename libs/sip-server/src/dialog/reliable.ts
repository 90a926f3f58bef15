import { randomInt } from 'node:crypto';
import type { RepeatTimes } from './repeat.ts';
import { Repeat } from './repeat.ts';

/** Something to be sent once the peer has acknowledged what is before it; dropped if the INVITE ends first. */
export type Held = { readonly send: () => void; readonly drop: () => void };

/**
 * The reliable provisional responses of one INVITE (RFC 3262 §3): one at a time, repeated until its PRACK. A 2xx waits
 * for them too: the peer might otherwise never see an answer that one of them carried.
 */
export class ReliableResponses {
  readonly #seq: number;
  #lastRSeq = randomInt(1, 2 ** 31 - 1);
  #repeat: Repeat | undefined;
  #held: Held[] = [];

  /** For an INVITE with this CSeq number. */
  constructor(seq: number) {
    this.#seq = seq;
  }

  /** Sends or holds. */
  inTurn(held: Held): void {
    if (this.#repeat === undefined) held.send();
    else this.#held.push(held);
  }

  nextRSeq(): number {
    this.#lastRSeq += 1;
    return this.#lastRSeq;
  }

  /** One has left, with the RSeq given last. */
  sent(times: RepeatTimes, resend: () => void, gaveUp: () => void): void {
    this.#repeat = new Repeat(times, resend, gaveUp);
  }

  /** A PRACK with this RAck; false if no response waits for it. */
  acknowledge(rack: string): boolean {
    const [, rseq, seq, method] = /^(\d+)[ \t]+(\d+)[ \t]+(\S+)$/.exec(rack) ?? [];
    const isOurs = Number(rseq) === this.#lastRSeq && Number(seq) === this.#seq && method === 'INVITE';
    if (!isOurs || this.#repeat === undefined) return false;
    this.#repeat.stop();
    this.#repeat = undefined;
    return true;
  }

  /** Sends what was held, up to the next that must be acknowledged. */
  release(): void {
    while (this.#repeat === undefined && this.#held.length > 0) this.#held.shift()?.send();
  }

  /** The INVITE has its final answer. */
  stop(): void {
    this.#repeat?.stop();
    this.#repeat = undefined;
    for (const { drop } of this.#held.splice(0)) drop();
  }
}
