import type { Saver } from '../durable/keyed-log.ts';
import { formatMessage } from '../message/format.ts';
import type { SipRequest } from '../message/message.ts';
import type { Flow } from '../transport/endpoint.ts';

/** An INVITE that has been answered by no more than a provisional response, as plain data. */
export type WaitingInvite = {
  /** The request as it is handed to applications, one character per byte. */
  readonly request: string;
  /** The way it came. */
  readonly flow: Flow;
  /** Since when its caller waits, in ms since 1970: the clock that a restart leaves us. */
  readonly sinceMs: number;
};

/**
 * INVITEs whose callers have been told to wait. They send them no more (RFC 3261 §17.1.1.2), so whoever told them must
 * answer, in this life or the next.
 */
export class WaitingInvites {
  readonly #saver: Saver<WaitingInvite>;
  readonly #all = new Map<string, WaitingInvite>();

  constructor(saver: Saver<WaitingInvite>) {
    this.#saver = saver;
  }

  /** Calls `then` once the INVITE outlives this process: only then may its caller be told. */
  keep(id: string, request: SipRequest, way: Omit<WaitingInvite, 'request'>, then: () => void): void {
    if (!this.#all.has(id)) {
      const waiting = { ...way, request: formatMessage(request).toString('latin1') };
      this.#all.set(id, waiting);
      this.#saver.put(id, waiting);
    }
    this.#saver.whenSynced(then);
  }

  /** It has its answer, or nobody to be told. */
  drop(id: string): void {
    if (this.#all.delete(id)) this.#saver.delete(id);
  }

  /** Those that are to be there after a restart. */
  all(): Iterable<readonly [string, WaitingInvite]> {
    return this.#all;
  }
}
