import { randomUUID } from 'node:crypto';
import { formatMessage } from '../message/format.ts';
import type { SipRequest, SipResponse } from '../message/message.ts';
import type { Flow } from '../transport/endpoint.ts';
import type { Transports } from '../transport/transports.ts';
import { makeAck } from './ack.ts';
import type { ClientEvent } from './client-event.ts';
import { startClientInvite, stepClientInvite } from './client-invite.ts';
import { startClientOther, stepClientOther } from './client-other.ts';
import type { Action, Timing } from './machine.ts';
import type { Machine } from './run.ts';
import { run } from './run.ts';
import { TimerSet } from './timer-set.ts';

/** Who sent a request hears of its fate: responses, or at last one `failed`. */
export type ClientUser = {
  response(response: SipResponse, flow: Flow): void;
  /** `timeout`: nobody answered within 64*T1. `transport`: it could not be sent. */
  failed(reason: 'timeout' | 'transport'): void;
};

/** A request to the network and its answers (RFC 3261 §17.1). */
export class ClientTransaction {
  readonly id: string = randomUUID();
  readonly request: SipRequest;
  readonly flow: Flow;
  readonly #timing: Timing;
  readonly #bytes: Buffer;
  readonly #transports: Transports;
  readonly #user: ClientUser;
  readonly #step: Machine<ClientEvent>;
  readonly #timers = new TimerSet((timer) => this.#handle({ type: 'timer', timer }));
  #failure: 'timeout' | 'transport' = 'timeout';

  /** Sends the request at once. */
  constructor(
    request: SipRequest,
    flow: Flow,
    user: ClientUser,
    transports: Transports,
    timing: Timing,
    ended: () => void,
  ) {
    this.request = request;
    this.flow = flow;
    this.#timing = timing;
    this.#bytes = formatMessage(request);
    this.#user = user;
    this.#transports = transports;
    const context = { timing, reliable: flow.remote.protocol !== 'udp' };
    const isInvite = request.method === 'INVITE';
    const first = isInvite ? startClientInvite(context) : startClientOther(context);
    const end = (): void => {
      this.#timers.stopAll();
      ended();
    };
    this.#step = isInvite
      ? run(startClientInvite(context).state, stepClientInvite, context, end)
      : run(startClientOther(context).state, stepClientOther, context, end);
    this.#act(first.actions);
  }

  /** A response matched this transaction. */
  receive(response: SipResponse, flow: Flow): void {
    this.#act(this.#step({ type: 'response', status: response.status }), response, flow);
  }

  /** It has been cancelled: without an answer it ends as if timed out (§9.1). */
  giveUpSoon(): void {
    this.#timers.start('X', 64 * this.#timing.t1);
  }

  /** Ends without a word: the server is closing. */
  destroy(): void {
    this.#timers.stopAll();
  }

  #handle(event: ClientEvent): void {
    this.#act(this.#step(event));
  }

  #act(actions: readonly Action[], response?: SipResponse, flow?: Flow): void {
    for (const action of actions) {
      if (action.do === 'send') this.#send(this.#bytes);
      else if (action.do === 'start') this.#timers.start(action.timer, action.ms);
      else if (action.do === 'stop') this.#timers.stop(action.timer);
      else if (action.do === 'timeout') this.#user.failed(this.#failure);
      else if (response !== undefined && flow !== undefined) {
        if (action.do === 'ack') this.#send(formatMessage(makeAck(this.request, response)));
        else this.#user.response(response, flow);
      }
    }
  }

  #send(bytes: Buffer): void {
    this.#transports.send(bytes, this.flow, () => {
      this.#failure = 'transport';
      this.#handle({ type: 'failed' });
    });
  }
}
