import { CallError } from '../errors.ts';
import type { SipResponse } from './message.ts';

/** Estimate of a round trip and longest interval between repeats, in milliseconds (RFC 3261 §17.1.1.1). */
const t1Ms = 500;
const t2Ms = 4_000;
/** Timers B and F: how long we wait for any answer. */
const answerTimeoutMs = 64 * t1Ms;
/** Timer C: how long an INVITE may ring. */
const ringTimeoutMs = 180_000;

/** A client transaction (RFC 3261 §17.1): repeats its request where the transport may lose it, until it is answered. */
export class ClientTransaction {
  /** The final response; rejects with CallError `CALL_TIMEOUT`, or as `send` does at the first try. */
  readonly final: Promise<SipResponse>;
  /** Resolves with the first provisional response; never, if there is none. */
  readonly proceeding: Promise<void>;
  readonly #method: string;
  readonly #send: () => Promise<void>;
  readonly #settle = Promise.withResolvers<SipResponse>();
  readonly #proceed = Promise.withResolvers<void>();
  #repeat: NodeJS.Timeout | undefined;
  #deadline: NodeJS.Timeout;

  constructor(options: {
    readonly method: string;
    readonly reliable: boolean;
    readonly send: () => Promise<void>;
  }) {
    this.#method = options.method;
    this.#send = options.send;
    this.final = this.#settle.promise;
    this.proceeding = this.#proceed.promise;
    this.#deadline = this.#expireIn(answerTimeoutMs);
    this.#send().catch((error: unknown) => this.#fail(error));
    if (!options.reliable) this.#repeatIn(t1Ms);
  }

  receive(response: SipResponse): void {
    if (response.status >= 200) {
      this.#stop();
      this.#settle.resolve(response);

      return;
    }
    this.#proceed.resolve();
    if (this.#method !== 'INVITE') return;
    this.#stop();
    this.#deadline = this.#expireIn(ringTimeoutMs);
  }

  /** Gives the transaction up; its final response is then of no interest. */
  abandon(error: CallError): void {
    this.#fail(error);
  }

  #repeatIn(delayMs: number): void {
    this.#repeat = setTimeout(() => {
      // A repeat that can't be sent is as good as lost: the deadline decides.
      this.#send().catch(() => undefined);
      this.#repeatIn(this.#method === 'INVITE' ? delayMs * 2 : Math.min(delayMs * 2, t2Ms));
    }, delayMs);
  }

  #expireIn(delayMs: number): NodeJS.Timeout {
    return setTimeout(
      () =>
        this.#fail(new CallError('CALL_TIMEOUT', `no answer to ${this.#method} within ${delayMs / 1000} s`)),
      delayMs,
    );
  }

  #fail(error: unknown): void {
    this.#stop();
    this.#settle.reject(error);
  }

  #stop(): void {
    clearTimeout(this.#repeat);
    clearTimeout(this.#deadline);
  }
}
