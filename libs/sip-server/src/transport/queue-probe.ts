import { randomBytes } from 'node:crypto';

/** How often `beat` is to be called, in ms. */
export const PROBE_MS = 100;
/** One that has not come by then found the socket's buffer full: another is sent. */
const LOST_AFTER_MS = 1_000;
const MARK_BYTES = 16;

/**
 * How long a datagram waits in a socket's receive buffer before we see it. The event loop knows nothing of that queue: it
 * turns at full speed while what it reads is seconds old. So a datagram of our own is sent through it, ten times a second.
 * Times are monotonic milliseconds.
 */
export class QueueProbe {
  /** Known to nobody else, or others could make us look overloaded. */
  readonly #mark = randomBytes(MARK_BYTES);
  #sentAt: number | undefined;
  #ms = 0;

  /** The datagram to send to the socket itself, where it is time for one. */
  beat(now: number): Buffer | undefined {
    if (this.#sentAt !== undefined && now - this.#sentAt < LOST_AFTER_MS) return undefined;
    this.#ms = this.ms(now);
    this.#sentAt = now;
    return this.#mark;
  }

  /** True for a probe, which is no message. */
  takes(bytes: Buffer, now: number): boolean {
    if (bytes.length !== MARK_BYTES || !bytes.equals(this.#mark)) return false;
    if (this.#sentAt !== undefined) this.#ms = now - this.#sentAt;
    this.#sentAt = undefined;
    return true;
  }

  /** The latest wait; that of a probe still on its way counts as soon as it is longer. */
  ms(now: number): number {
    return this.#sentAt === undefined ? this.#ms : Math.max(this.#ms, now - this.#sentAt);
  }
}
