import { TransientMap } from '@reelstream/domain/transient-map';
import type { SipMessage, SipRequest, SipResponse } from '../message/message.ts';
import { makeResponse } from '../message/response.ts';
import type { Flow } from '../transport/endpoint.ts';
import type { Transports } from '../transport/transports.ts';
import { randomToken } from '../random-token.ts';
import type { ClientUser } from './client-transaction.ts';
import { ClientTransaction } from './client-transaction.ts';
import { clientKey, pathKey, serverKey } from './key.ts';
import type { Timing } from './machine.ts';
import { RecentKeys } from './recent-keys.ts';
import type { ServerMeans } from './server-transaction.ts';
import { ServerTransaction } from './server-transaction.ts';
import type { WaitingInvites } from './waiting-invites.ts';

/** Who stands above the transactions (RFC 3261 §5, "TU"). */
export type TransactionUser = {
  /** True for a request that is no repeat and may not come in: it has been answered. */
  turnsAway(request: SipRequest, flow: Flow): boolean;
  /** A new request; never ACK or CANCEL. */
  request(transaction: ServerTransaction): void;
  /** A new CANCEL with the INVITE it is for, if that is known: `over` where it was refused and the refusal acknowledged. */
  cancel(transaction: ServerTransaction, invite: ServerTransaction | 'over' | undefined): void;
  /** An ACK for a 2xx, or for nothing. */
  ack(request: SipRequest, flow: Flow): void;
  /** A response that no transaction waits for. */
  strayResponse(response: SipResponse, flow: Flow): void;
};

/** Matches messages to transactions and absorbs repeats (RFC 3261 §17). */
export class Transactions {
  readonly #server = new TransientMap<ServerTransaction>();
  readonly #client = new TransientMap<ClientTransaction>();
  /** Requests outside of dialogs by what they keep on every path. */
  readonly #paths = new TransientMap<ServerTransaction>();
  /** INVITEs whose refusal was acknowledged, in `confirmed` (§17.2.1): they and their ACKs may still be repeated. */
  readonly #confirmed: RecentKeys;
  readonly #transports: Transports;
  readonly #timing: Timing;
  readonly #means: ServerMeans;
  readonly #user: TransactionUser;

  /** `waiting`: where INVITEs are kept that shall outlive this process. */
  constructor(transports: Transports, timing: Timing, user: TransactionUser, waiting?: WaitingInvites) {
    this.#transports = transports;
    this.#timing = timing;
    this.#means = { transports, timing, waiting };
    this.#user = user;
    this.#confirmed = new RecentKeys(timing.t4);
  }

  /** How many transactions are alive. */
  get size(): number {
    return this.#server.size + this.#client.size;
  }

  /** Takes a valid message off the network. */
  receive(message: SipMessage, flow: Flow): void {
    if (message.kind === 'response') this.#receiveResponse(message, flow);
    else if (message.method === 'ACK') this.#receiveAck(message, flow);
    else this.#receiveRequest(message, flow);
  }

  /** Sends a request whose top Via already carries a branch of ours. */
  send(request: SipRequest, flow: Flow, user: ClientUser): ClientTransaction {
    const key = clientKey(request) ?? '';
    const transaction = new ClientTransaction(request, flow, user, this.#transports, this.#timing, () => {
      this.#client.delete(key);
    });
    this.#client.set(key, transaction);
    return transaction;
  }

  /** An INVITE that an earlier life of this server has answered by a 100: it, its repeats and its CANCEL are known again. */
  resume(invite: SipRequest, flow: Flow, waitsSinceMs: number): ServerTransaction {
    const transaction = this.#begin(invite, flow, waitsSinceMs);
    const path = pathKey(invite);
    if (path !== undefined) this.#paths.set(path, transaction);
    return transaction;
  }

  #begin(request: SipRequest, flow: Flow, waitsSinceMs?: number): ServerTransaction {
    const key = serverKey(request) ?? '';
    const path = pathKey(request) ?? '';
    const ended = (): void => {
      this.#server.delete(key);
      if (this.#paths.get(path) === transaction) this.#paths.delete(path);
    };
    const transaction: ServerTransaction = new ServerTransaction(
      request,
      flow,
      this.#means,
      ended,
      waitsSinceMs,
    );
    this.#server.set(key, transaction);
    return transaction;
  }

  #receiveRequest(request: SipRequest, flow: Flow): void {
    const key = serverKey(request) ?? '';
    const known = this.#server.get(key);
    if (known !== undefined) {
      known.repeat();
      return;
    }
    if (this.#confirmed.has(key)) return;
    if (this.#user.turnsAway(request, flow)) return;
    const path = pathKey(request);
    const other = this.#paths.get(path ?? '');
    const transaction = this.#begin(request, flow);
    if (other !== undefined && !other.isRefused) {
      // It has come here on two paths: one answer is enough (§8.2.2.2). After a failure it may well be tried again.
      transaction.respond(makeResponse(request, 482, { toTag: randomToken() }));
      return;
    }
    if (path !== undefined) this.#paths.set(path, transaction);
    if (request.method === 'CANCEL') {
      const invite = serverKey(request, 'INVITE') ?? '';
      this.#user.cancel(transaction, this.#confirmed.has(invite) ? 'over' : this.#server.get(invite));
      return;
    }
    this.#user.request(transaction);
  }

  #receiveAck(request: SipRequest, flow: Flow): void {
    const key = serverKey(request, 'INVITE') ?? '';
    if (this.#confirmed.has(key)) return;
    if (this.#server.get(key)?.acknowledge() !== true) this.#user.ack(request, flow);
    // Over a reliable transport nothing is repeated.
    else if (flow.remote.protocol === 'udp') this.#confirmed.add(key);
  }

  #receiveResponse(response: SipResponse, flow: Flow): void {
    const transaction = this.#client.get(clientKey(response) ?? '');
    if (transaction === undefined) this.#user.strayResponse(response, flow);
    else transaction.receive(response, flow);
  }

  /** Stops every timer; nothing is sent. */
  close(): void {
    for (const transaction of this.#server.values()) transaction.destroy();
    for (const transaction of this.#client.values()) transaction.destroy();
    this.#server.clear();
    this.#client.clear();
    this.#paths.clear();
    this.#confirmed.clear();
  }
}
