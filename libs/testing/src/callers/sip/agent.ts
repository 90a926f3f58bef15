import { randomBytes } from 'node:crypto';
import { CallError } from '../errors.ts';
import { headerValue, headerValues, isResponse } from './message.ts';
import type { Header, SipMessage, SipRequest, SipResponse } from './message.ts';
import { openTcpWire, openTlsWire } from './tcp-wire.ts';
import { ClientTransaction } from './transaction.ts';
import { openUdpWire } from './udp-wire.ts';
import { hostText, parseParameters } from './uri.ts';
import type { Arrival, CallerTransport, Peer, Wire } from './wire.ts';

export type Target = Peer & { readonly transport: CallerTransport };

/** A request before it has a Via, and where it goes. */
export type Outgoing = SipRequest & { readonly target: Target };

/** Answers a request of the other side; undefined sends nothing (ACK). */
export type RequestHandler = (request: SipRequest) => { status: number; reason: string } | undefined;

/** Branch and method tell which transaction a response belongs to (RFC 3261 §17.1.3). */
const transactionKey = (response: SipResponse): string | undefined => {
  const via = headerValue(response, 'via');
  const method = headerValue(response, 'cseq')?.split(/\s+/)[1];
  const branch = via && parseParameters(via.slice(via.indexOf(';') + 1))['branch'];

  return branch && method ? `${branch} ${method}` : undefined;
};

const copied = (request: SipMessage, names: readonly string[]): Header[] =>
  names.flatMap((name) => headerValues(request, name).map((value): Header => [name, value]));

/** ACK or CANCEL of an INVITE: same Request-URI, Call-ID, CSeq number and Route (RFC 3261 §9.1, §17.1.1.3). */
const companion = (method: 'ACK' | 'CANCEL', invite: Outgoing, to: SipMessage): Outgoing => ({
  method,
  uri: invite.uri,
  target: invite.target,
  headers: [
    ...copied(invite, ['Route', 'From', 'Call-ID', 'Max-Forwards']),
    ...copied(to, ['To']),
    ['CSeq', `${Number.parseInt(headerValue(invite, 'cseq') ?? '1', 10)} ${method}`],
  ],
  body: '',
});

const opener = { udp: openUdpWire, tcp: openTcpWire, tls: openTlsWire } as const;

/** Client transactions over all transports, one local address; requests of the other side are handed on. */
export class SipAgent implements AsyncDisposable {
  readonly localAddress: string;
  readonly #onRequest: RequestHandler;
  readonly #wires = new Map<CallerTransport, Promise<Wire>>();
  readonly #transactions = new Map<string, ClientTransaction>();
  /** What to do again when a final response is repeated: our ACK got lost. */
  readonly #acknowledgements = new Map<string, () => void>();

  constructor(localAddress: string, onRequest: RequestHandler) {
    this.localAddress = localAddress;
    this.#onRequest = onRequest;
  }

  /** `address:port` where we are reached over this transport, for a Contact. */
  async contactHost(transport: CallerTransport): Promise<string> {
    const { local } = await this.#wire(transport);

    return `${hostText(local.address)}:${local.port}`;
  }

  /**
   * Sends a request and resolves with its final response. An INVITE that fails is acknowledged here; `signal` takes it
   * back by CANCEL. Throws CallError `CALL_TIMEOUT` or `CALL_UNREACHABLE`.
   */
  async request(outgoing: Outgoing, signal?: AbortSignal): Promise<SipResponse> {
    const branch = `z9hG4bK${randomBytes(9).toString('hex')}`;
    const transaction = await this.#begin(outgoing, branch);
    const cancel = (): void => {
      void transaction.proceeding.then(() => this.#cancel(outgoing, branch, transaction));
    };
    signal?.addEventListener('abort', cancel, { once: true });
    if (signal?.aborted) cancel();
    try {
      const response = await transaction.final;
      if (outgoing.method === 'INVITE' && response.status >= 300) {
        await this.#keepAcknowledged(response, companion('ACK', outgoing, response), branch);
      }

      return response;
    } finally {
      signal?.removeEventListener('abort', cancel);
    }
  }

  /** Sends the ACK of a 2xx, a transaction of its own; again whenever the 2xx comes again (RFC 3261 §13.2.2.4). */
  async acknowledge(response: SipResponse, ack: Outgoing): Promise<void> {
    await this.#keepAcknowledged(response, ack, `z9hG4bK${randomBytes(9).toString('hex')}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const transaction of this.#transactions.values()) {
      transaction.abandon(new CallError('CALL_CANCELLED', 'the call was given up'));
    }
    const wires = await Promise.allSettled(this.#wires.values());
    const open = wires.flatMap((wire) => (wire.status === 'fulfilled' ? [wire.value] : []));
    await Promise.all(open.map((wire) => wire[Symbol.asyncDispose]()));
  }

  #wire(transport: CallerTransport): Promise<Wire> {
    const known = this.#wires.get(transport);
    if (known) return known;
    const opened = opener[transport](this.localAddress, (arrival) => this.#arrived(arrival));
    this.#wires.set(transport, opened);

    return opened;
  }

  async #begin(outgoing: Outgoing, branch: string): Promise<ClientTransaction> {
    const { reliable } = await this.#wire(outgoing.target.transport);
    const key = `${branch} ${outgoing.method}`;
    const transaction = new ClientTransaction({
      method: outgoing.method,
      reliable,
      send: () => this.#send(outgoing, branch),
    });
    this.#transactions.set(key, transaction);
    const forget = (): void => void this.#transactions.delete(key);
    transaction.final.then(forget, forget);

    return transaction;
  }

  /** CANCEL has the branch of its INVITE. If it isn't even answered, the INVITE is given up. */
  async #cancel(invite: Outgoing, branch: string, transaction: ClientTransaction): Promise<void> {
    try {
      const cancel = await this.#begin(companion('CANCEL', invite, invite), branch);
      await cancel.final;
    } catch (cause) {
      transaction.abandon(new CallError('CALL_CANCELLED', 'the CANCEL was not answered', { cause }));
    }
  }

  async #keepAcknowledged(response: SipResponse, ack: Outgoing, branch: string): Promise<void> {
    const key = transactionKey(response);
    // An ACK that doesn't get out is as good as lost: the other side repeats its answer.
    const send = (): Promise<void> => this.#send(ack, branch).catch(() => undefined);
    if (key) this.#acknowledgements.set(key, () => void send());
    await send();
  }

  async #send(outgoing: Outgoing, branch: string): Promise<void> {
    const { transport, ...peer } = outgoing.target;
    const wire = await this.#wire(transport);
    const sentBy = `${hostText(wire.local.address)}:${wire.local.port}`;
    const via: Header = ['Via', `SIP/2.0/${transport.toUpperCase()} ${sentBy};branch=${branch};rport`];
    const { method, uri, body } = outgoing;
    await wire.send({ method, uri, headers: [via, ...outgoing.headers], body }, peer);
  }

  #arrived({ message, reply }: Arrival): void {
    if (!isResponse(message)) {
      const answer = this.#onRequest(message);
      const headers = copied(message, ['Via', 'From', 'To', 'Call-ID', 'CSeq']);
      if (answer) reply({ ...answer, headers, body: '' });

      return;
    }
    const key = transactionKey(message);
    if (!key) return;
    const transaction = this.#transactions.get(key);
    if (transaction) transaction.receive(message);
    else if (message.status >= 200) this.#acknowledgements.get(key)?.();
  }
}
