import { asError, SipError } from './errors.ts';
import type { Engine, SrfMessage, SrfResponse } from './srf.ts';
import type { Headers } from './types.ts';

/** What the parts of an endpoint share: the engine, who hears of errors, and what must not outlive the connection. */
export type Reply = {
  readonly status: number;
  readonly reason?: string | undefined;
  readonly headers?: Headers | undefined;
  readonly body?: string | undefined;
  readonly contentType?: string | undefined;
};

/** drachtio-srf calls back when the server answers, and never if the connection breaks before: so we reject then. */
export class Connection {
  readonly engine: Engine;
  readonly #product: string;
  #report: ((error: Error) => void) | undefined;
  readonly #waiting = new Set<(error: SipError) => void>();
  connected = false;

  constructor(engine: Engine, product: string, report: ((error: Error) => void) | undefined) {
    this.engine = engine;
    this.#product = product;
    this.#report = report;
  }

  report(error: Error): void {
    try {
      this.#report?.(error);
    } catch {
      // The one who hears of errors failed: there is nobody left to tell.
    }
  }

  /** Runs code of the application; what it throws is reported. True if it ran to its end. */
  guard(call: () => void): boolean {
    try {
      call();

      return true;
    } catch (error) {
      this.report(
        new SipError('SIP_HANDLER', `a handler threw: ${asError(error).message}`, { cause: error }),
      );

      return false;
    }
  }

  /**
   * Waits for an answer of the server. `finish` runs in the same turn, before the next frame is looked at.
   * Throws SipError `SIP_REFUSED`, `SIP_DISCONNECTED`, `SIP_UNANSWERED` or `SIP_UNSENDABLE`.
   */
  ask<T, R>(
    start: (done: (error: unknown, value?: T) => void) => void,
    finish: (value: T | undefined) => R,
  ): Promise<R> {
    return new Promise<R>((resolve, reject) => {
      this.#waiting.add(reject);
      const settle = (act: () => void): void => {
        this.#waiting.delete(reject);
        act();
      };
      try {
        start((error, value) => {
          settle(() => {
            if (error) reject(this.#refusal(asError(error)));
            else resolve(finish(value));
          });
        });
      } catch (error) {
        const code = this.connected ? 'SIP_UNSENDABLE' : 'SIP_DISCONNECTED';
        settle(() => reject(new SipError(code, asError(error).message, { cause: error })));
      }
    });
  }

  /** Sends a response; resolves with what `finish` makes of it as it went out. */
  reply<R>(response: SrfResponse, reply: Reply, finish: (sent: SrfMessage | undefined) => R): Promise<R> {
    const headers: Record<string, string> = { server: this.#product };
    if (reply.contentType !== undefined) headers['content-type'] = reply.contentType;
    for (const [name, value] of Object.entries(reply.headers ?? {})) headers[name] = oneLine(value);
    const options = reply.body === undefined ? { headers } : { headers, body: reply.body };
    const reason = reply.reason === undefined ? undefined : oneLine(reply.reason);

    return this.ask<SrfMessage, R>((done) => response.send(reply.status, reason, options, done), finish);
  }

  /** The same where nobody waits for it. */
  replyOnly(response: SrfResponse, reply: Reply): void {
    this.reply(response, reply, () => undefined).catch((error: unknown) => this.report(asError(error)));
  }

  /** srf gives its own troubles and the server's refusals alike: as a text. */
  #refusal(error: Error): SipError {
    const isGone = !this.connected || error.message.includes('socket connection closed');

    return isGone
      ? new SipError('SIP_DISCONNECTED', 'the connection that brought the request is gone', { cause: error })
      : new SipError('SIP_REFUSED', `refused by the SIP server: ${error.message}`, { cause: error });
  }

  /** Ends every wait in silence: nobody wants to hear of it any more. */
  close(): void {
    this.#report = undefined;
    this.lost();
  }

  /** Ends every wait: its answer can't come any more. */
  lost(): void {
    this.connected = false;
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const reject of waiting)
      reject(new SipError('SIP_UNANSWERED', 'the connection to the SIP server broke before it answered'));
  }
}

/** A value from outside must not begin a new header. */
const oneLine = (text: string): string => text.replace(/[\r\n]+/g, ' ');
