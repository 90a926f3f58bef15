import { randomUUID } from 'node:crypto';
import { formatMessage } from '../message/format.ts';
import type { SipRequest, SipResponse } from '../message/message.ts';
import { makeResponse } from '../message/response.ts';
import { topVia } from '../message/via.ts';
import type { Flow } from '../transport/endpoint.ts';
import { defaultPort } from '../transport/endpoint.ts';
import type { Transports } from '../transport/transports.ts';
import type { Action, Timing } from './machine.ts';
import type { Machine } from './run.ts';
import { run } from './run.ts';
import type { ServerEvent } from './server-event.ts';
import { startServerInvite, stepServerInvite } from './server-invite.ts';
import { startServerOther, stepServerOther } from './server-other.ts';
import { TimerSet } from './timer-set.ts';

/** A request from the network and its answers (RFC 3261 §17.2). */
export class ServerTransaction {
  /** Name of this transaction on the control protocol. */
  readonly id: string = randomUUID();
  readonly request: SipRequest;
  /** The way the request came. */
  readonly flow: Flow;
  /** Called once when a final response could not be sent, or was not acknowledged. */
  onTimeout: () => void = () => {};
  readonly #transports: Transports;
  readonly #step: Machine<ServerEvent>;
  readonly #timers = new TimerSet((timer) => this.#handle({ type: 'timer', timer }));
  readonly #failed = (): void => this.#handle({ type: 'failed' });
  #lastResponse: Buffer | undefined;
  #lastStatus = 0;

  constructor(request: SipRequest, flow: Flow, transports: Transports, timing: Timing, ended: () => void) {
    this.request = request;
    this.flow = flow;
    this.#transports = transports;
    const context = { timing, reliable: flow.remote.protocol !== 'udp' };
    const end = (): void => {
      this.#timers.stopAll();
      ended();
    };
    const invited = this.isInvite ? startServerInvite(context) : undefined;
    this.#step =
      invited === undefined
        ? run(startServerOther.state, stepServerOther, context, end)
        : run(invited.state, stepServerInvite, context, end);
    this.#act(invited?.actions ?? []);
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
    if (this.#lastResponse !== undefined) this.#send(this.#lastResponse);
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
    this.#transports.send(bytes, this.#responseFlow(), this.#failed);
  }

  /** Back the way it came; over a new connection to the Via's port where that one is gone (§18.2.2). */
  #responseFlow(): Flow {
    if (this.flow.connection === undefined || this.#transports.isOpen(this.flow)) return this.flow;
    const port = topVia(this.request)?.port ?? defaultPort(this.flow.remote.protocol);
    return { local: this.flow.local, remote: { ...this.flow.remote, port } };
  }
}
