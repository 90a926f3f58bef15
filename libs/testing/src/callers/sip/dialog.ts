import type { Outgoing, SipAgent, Target } from './agent.ts';
import { headerValue, headerValues } from './message.ts';
import type { Header, SipMessage, SipResponse } from './message.ts';
import { parseNameAddress, splitList } from './uri.ts';

export type DialogOptions = {
  readonly agent: SipAgent;
  /** The INVITE that made it, and its 2xx. */
  readonly invite: Outgoing;
  readonly response: SipResponse;
  /** Finds where a URI is reached (RFC 3263, as far as callers need it). */
  readonly resolve: (uri: string) => Promise<Target>;
};

export type InDialogRequest = {
  readonly method: string;
  /** Another From than that of the INVITE, without its tag: whom we call for has changed (RFC 4916). */
  readonly from?: string;
  readonly headers?: readonly Header[];
  readonly body?: string;
};

/** The tag is what names the dialog; the rest may change. */
const fromOf = (invite: SipMessage, changed: string | undefined): string => {
  const from = headerValue(invite, 'from') ?? '';

  return changed === undefined ? from : `${changed};tag=${parseNameAddress(from)?.parameters['tag'] ?? ''}`;
};

/** The caller's side of a dialog (RFC 3261 §12.1.2). */
export class CallerDialog {
  readonly callId: string;
  readonly remoteTag: string;
  readonly #options: DialogOptions;
  readonly #remoteTarget: string;
  readonly #routeSet: readonly string[];
  #cseq: number;

  constructor(options: DialogOptions) {
    const { invite, response } = options;
    this.#options = options;
    this.callId = headerValue(invite, 'call-id') ?? '';
    this.remoteTag = parseNameAddress(headerValue(response, 'to') ?? '')?.parameters['tag'] ?? '';
    this.#remoteTarget = parseNameAddress(headerValue(response, 'contact') ?? '')?.uri ?? invite.uri;
    this.#routeSet = headerValues(response, 'record-route').flatMap(splitList).toReversed();
    this.#cseq = Number.parseInt(headerValue(invite, 'cseq') ?? '1', 10);
  }

  /** Acknowledges a 2xx to an INVITE of this dialog; with the answer to the offer it carried. */
  async acknowledge(response: SipResponse, answer?: string): Promise<void> {
    const number = Number.parseInt(headerValue(response, 'cseq') ?? '1', 10);
    const body =
      answer === undefined ? {} : { headers: [['Content-Type', 'application/sdp'] as const], body: answer };
    await this.#options.agent.acknowledge(response, await this.#outgoing(number, { method: 'ACK', ...body }));
  }

  /** Sends a request inside the dialog and resolves with its final response; a 2xx to an INVITE is acknowledged. */
  async request(request: InDialogRequest): Promise<SipResponse> {
    this.#cseq += 1;
    const response = await this.#options.agent.request(await this.#outgoing(this.#cseq, request));
    if (request.method === 'INVITE' && response.status < 300) await this.acknowledge(response);

    return response;
  }

  async #outgoing(
    cseq: number,
    { method, from, headers = [], body = '' }: InDialogRequest,
  ): Promise<Outgoing> {
    const { invite, response, resolve } = this.#options;
    const [firstRoute] = this.#routeSet;
    const nextHop = firstRoute === undefined ? this.#remoteTarget : parseNameAddress(firstRoute)?.uri;

    return {
      method,
      uri: this.#remoteTarget,
      target: await resolve(nextHop ?? this.#remoteTarget),
      headers: [
        ...this.#routeSet.map((route): Header => ['Route', route]),
        ['Max-Forwards', '70'],
        ['From', fromOf(invite, from)],
        ['To', headerValue(response, 'to') ?? ''],
        ['Call-ID', this.callId],
        ['CSeq', `${cseq} ${method}`],
        ...headers,
      ],
      body,
    };
  }
}
