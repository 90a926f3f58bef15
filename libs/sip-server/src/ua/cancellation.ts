import type { Header, SipRequest } from '../message/message.ts';
import { makeCancel } from '../transaction/ack.ts';
import type { Flow } from '../transport/endpoint.ts';
import type { Core } from './core.ts';

/** The CANCEL of one INVITE: held back until a first response, for before that nothing may be cancelled (RFC 3261 §9.1). */
export class Cancellation {
  readonly #core: Core;
  readonly #request: SipRequest;
  readonly #flow: Flow;
  readonly #sent: () => void;
  #isReleased = false;
  #held: SipRequest | undefined;
  #isWanted = false;

  /** `sent` is called when the CANCEL leaves: from then on the INVITE is given up soon, answered or not. */
  constructor(core: Core, request: SipRequest, flow: Flow, sent: () => void) {
    this.#core = core;
    this.#request = request;
    this.#flow = flow;
    this.#sent = sent;
  }

  get isWanted(): boolean {
    return this.#isWanted;
  }

  /** Cancels now or as soon as it may be; gives the CANCEL. Only the first call does anything, and only for INVITE. */
  cancel(extra: readonly Header[] = []): SipRequest {
    const cancel = makeCancel(this.#request, extra);
    if (this.#isWanted || this.#request.method !== 'INVITE') return cancel;
    this.#isWanted = true;
    this.#held = cancel;
    if (this.#isReleased) this.release();
    return cancel;
  }

  /** A response has come. */
  release(): void {
    this.#isReleased = true;
    const held = this.#held;
    this.#held = undefined;
    if (held !== undefined) {
      this.#core.transactions.send(held, this.#flow, { response: () => {}, failed: () => {} });
      this.#sent();
    }
  }

  /** A final response has come: there is nothing left to cancel. */
  drop(): void {
    this.#held = undefined;
  }
}
