import { randomUUID } from 'node:crypto';
import { formatMessage } from '../message/format.ts';
import type { SipRequest, SipResponse } from '../message/message.ts';
import { makeResponse } from '../message/response.ts';
import type { Flow } from '../transport/endpoint.ts';
import type { Transports } from '../transport/transports.ts';
import type { Action, Timing } from './machine.ts';
import { flowAnew } from './response-flow.ts';
import type { Machine } from './run.ts';
import { run } from './run.ts';
import type { ServerEvent } from './server-event.ts';
import { resumeServerInvite, startServerInvite, stepServerInvite } from './server-invite.ts';
import { startServerOther, stepServerOther } from './server-other.ts';
import { TimerSet } from './timer-set.ts';
import type { WaitingInvites } from './waiting-invites.ts';

/** What the server transactions of one server share. */
export type ServerMeans = {
  readonly transports: Transports;
  readonly timing: Timing;
  /** Where those are kept that outlive this process; undefined where none does. */
  readonly waiting: WaitingInvites | undefined;
};

/** A request from the network and its answers (RFC 3261 §17.2). */
export class ServerTransaction {
  /** Name of this transaction on the control protocol. */
  readonly id: string = randomUUID();
  readonly request: SipRequest;
  /** The way the request came. */
  readonly flow: Flow;
  /** Called once when a final response could not be sent, or was not acknowledged. */
  onTimeout: () => void = () => {};
  readonly #means: ServerMeans;
  readonly #step: Machine<ServerEvent>;
  readonly #timers = new TimerSet((timer) => this.#handle({ type: 'timer', timer }));
  readonly #failed = (): void => this.#handle({ type: 'failed' });
  /** Since when its caller waits, ms since 1970; undefined unless it comes from an earlier life of this server. */
  readonly #waitsSinceMs: number | undefined;
  #lastResponse: Buffer | undefined;
  #lastStatus = 0;

  /** `waitsSinceMs`: it is an INVITE that an earlier life of this server has answered by a 100, then. */
  constructor(request: SipRequest, flow: Flow, means: ServerMeans, ended: () => void, waitsSinceMs?: number) {
    this.request = request;
    this.flow = flow;
    this.#means = means;
    this.#waitsSinceMs = waitsSinceMs;
    const context = { timing: means.timing, reliable: flow.remote.protocol !== 'udp' };
    const end = (): void => {
      this.#timers.stopAll();
      means.waiting?.drop(this.id);
      ended();
    };
    if (!this.isInvite) {
      this.#step = run(startServerOther.state, stepServerOther, context, end);
      return;
    }
    const first = waitsSinceMs === undefined ? startServerInvite(context) : resumeServerInvite();
    this.#step = run(first.state, stepServerInvite, context, end);
    this.#act(first.actions);
    if (waitsSinceMs !== undefined) this.#tryOn();
  }

  /** True once a final response has been given. */
  get isAnswered(): boolean {
    return this.#lastStatus >= 200;
  }

  /** True once it has been answered by anything but a success. */
  get isRefused(): boolean {
    return this.#lastStatus >= 300;
  }

  get isInvite(): boolean {
    return this.request.method === 'INVITE';
  }

  /**
   * Sends a response; ignored after a final one, except for another 2xx to INVITE (RFC 6026 §7.1). `bytes` are those of
   * the response, where somebody else needs them too.
   */
  respond(response: SipResponse, bytes: Buffer = formatMessage(response)): void {
    const again = this.isInvite && this.#lastStatus < 300 && response.status >= 200 && response.status < 300;
    if (this.isAnswered && !again) return;
    this.#lastStatus = response.status;
    this.#lastResponse = bytes;
    this.#handle({ type: 'respond', status: response.status });
    if (this.isAnswered) this.#means.waiting?.drop(this.id);
  }

  /** The request came again. */
  repeat(): void {
    this.#handle({ type: 'repeated' });
  }

  /** An ACK matched; true where it was for a failure, and thus ends here. */
  acknowledge(): boolean {
    if (this.#lastStatus < 300) return false;
    this.#handle({ type: 'ack' });
    return true;
  }

  /** Sends the last response once more (the repeats of a 2xx, §13.3.1.4). */
  resend(): void {
    const bytes = this.#lastResponse;
    if (bytes === undefined) return;
    const { waiting } = this.#means;
    if (waiting === undefined || !this.isInvite || this.isAnswered) return this.#send(bytes);
    const { flow, request } = this;
    waiting.keep(this.id, request, { flow, sinceMs: this.#waitsSinceMs ?? Date.now() }, () => {
      if (!this.isAnswered) this.#send(bytes);
    });
  }

  /** Ends without a word: the server is closing. */
  destroy(): void {
    this.#timers.stopAll();
  }

  #handle(event: ServerEvent): void {
    this.#act(this.#step(event));
  }

  #act(actions: readonly Action[]): void {
    for (const action of actions) {
      if (action.do === 'send') this.resend();
      else if (action.do === 'trying') this.#tryOn();
      else if (action.do === 'start') this.#timers.start(action.timer, action.ms);
      else if (action.do === 'stop') this.#timers.stop(action.timer);
      else if (action.do === 'timeout') this.onTimeout();
    }
  }

  /** Says that the INVITE is here, and no more. */
  #tryOn(): void {
    this.#lastStatus = 100;
    this.#lastResponse = formatMessage(makeResponse(this.request, 100));
    this.resend();
  }

  #send(bytes: Buffer): void {
    this.#means.transports.send(bytes, this.#responseFlow(), this.#failed);
  }

  /** Back the way it came, while that is open. */
  #responseFlow(): Flow {
    const isGone = this.flow.connection !== undefined && !this.#means.transports.isOpen(this.flow);
    return isGone ? flowAnew(this.flow, this.request) : this.flow;
  }
}
