import type { Connection, Reply } from './connection.ts';
import type { DigestClient } from './digest-client.ts';
import { asError } from './errors.ts';
import { readMessage } from './message.ts';
import { parseNameAddr } from './name-addr.ts';
import { requestInfo } from './request-info.ts';
import { agreeTimer, timerHeaders } from './session-refresh.ts';
import type { SessionTimer } from './session-refresh.ts';
import { requestWithin } from './request-within.ts';
import type { SrfRequest, SrfResponse } from './srf.ts';
import type {
  Dialog,
  DialogEnd,
  DialogResponse,
  Headers,
  InDialogRequest,
  KnownDialog,
  RequestInfo,
} from './types.ts';

/** The dialogs of an endpoint, by the server's id: `<Call-ID>;from-tag=<tag>`. */
export type DialogTable = Map<string, SipDialog>;

type Listener = (request: InDialogRequest) => void;

const causes: readonly (readonly [RegExp, DialogEnd['cause']])[] = [
  [/ack timeout/i, 'ack-timeout'],
  [/session[ -](timer )?expired/i, 'session-expired'],
  [/^no answer$/i, 'peer-gone'],
  [/cancel/i, 'cancelled'],
];

/** The text in a Reason header (RFC 3326), or all of it. */
const reasonText = (header: string | undefined): string | undefined =>
  header === undefined ? undefined : (/text="([^"]*)"/.exec(header)?.[1] ?? header);

/** How it ended: the server tells of its own BYEs by a request that no network sent. */
const endOf = (request: SrfRequest, info: RequestInfo): DialogEnd => {
  const reason = reasonText(info.header('reason'));
  if (request.source === 'network') return { cause: 'bye', reason };

  return { cause: causes.find(([pattern]) => pattern.test(reason ?? ''))?.[1] ?? 'other', reason };
};

/** A peer sends its BYE again after this: then it is answered, whatever the application still waits for. */
const longestBeforeByeMs = 500;

const answeredAlone: Readonly<Record<string, number>> = { INFO: 200, OPTIONS: 200, PRACK: 200 };

/** What names a dialog of ours that a peer opened: its own tag is the remote one. */
export type DialogNames = Pick<Dialog, 'callId' | 'localTag' | 'remoteTag'>;

/** The server's name for it: `<Call-ID>;from-tag=<From tag of the INVITE>`. */
export const dialogId = ({ callId, remoteTag }: DialogNames): string => `${callId};from-tag=${remoteTag}`;

/** The same of a call of ours. */
export const placedId = ({ callId, localTag }: DialogNames): string => `${callId};from-tag=${localTag}`;

/** The dialog that the 200 of ours to an INVITE opened. */
export const openedBy = (info: RequestInfo, sent: string): DialogNames => ({
  callId: info.callId,
  remoteTag: info.from.parameters['tag'] ?? '',
  localTag: parseNameAddr(readMessage(sent).headers.get('to')?.[0] ?? '').parameters['tag'] ?? '',
});

/** The dialog that a request is in; what the server ends by itself comes with our own names in From. */
export const namesIn = (info: RequestInfo, source: SrfRequest['source']): DialogNames => {
  const from = info.from.parameters['tag'] ?? '';
  const to = info.to.parameters['tag'] ?? '';

  return { callId: info.callId, ...(source === 'network' ? tags(to, from) : tags(from, to)) };
};

const tags = (localTag: string, remoteTag: string) => ({ localTag, remoteTag });

/** A dialog we opened by a 200, or by a call of ours. It lives as long as the server knows it, also over a reconnect. */
export class SipDialog implements Dialog {
  readonly callId: string;
  readonly localTag: string;
  readonly remoteTag: string;
  readonly remoteTarget: string | undefined;
  readonly supposed: boolean;
  readonly #id: string;
  readonly #connection: Connection;
  readonly #dialogs: DialogTable;
  /** Frames can arrive before the application has its dialog in hand: they wait for one turn. */
  #early: (() => void)[] | undefined = [];
  #onAck: ((body: string) => void) | undefined;
  #onOffer: Listener | undefined;
  #onRequest: Listener | undefined;
  #onEnded: ((end: DialogEnd) => unknown) | undefined;
  #unheardAcks: string[] = [];
  #end: DialogEnd | undefined;
  /** What requests of ours in the dialog are proven by, as its INVITE was. */
  readonly #proof: DigestClient | undefined;
  #timer: SessionTimer | undefined;
  #refreshedMs: number;

  constructor(
    connection: Connection,
    dialogs: DialogTable,
    names: DialogNames,
    id: string = dialogId(names),
    agreed: Pick<KnownDialog, 'timer' | 'refreshedMs' | 'remoteTarget'> & {
      readonly proof?: DigestClient | undefined;
      readonly supposed?: boolean;
    } = {},
  ) {
    this.#connection = connection;
    this.#dialogs = dialogs;
    this.#id = id;
    this.callId = names.callId;
    this.localTag = names.localTag;
    this.remoteTag = names.remoteTag;
    this.remoteTarget = agreed.remoteTarget;
    this.supposed = agreed.supposed ?? false;
    this.#proof = agreed.proof;
    this.#timer = agreed.timer;
    this.#refreshedMs = agreed.refreshedMs ?? performance.now();
    dialogs.set(this.#id, this);
    setImmediate(() => this.#open());
  }

  get timer(): SessionTimer | undefined {
    return this.#timer;
  }

  get refreshedMs(): number {
    return this.#refreshedMs;
  }

  onAck(listener: (body: string) => void): void {
    this.#onAck = listener;
    for (const body of this.#unheardAcks.splice(0)) this.#connection.guard(() => listener(body));
  }

  onOffer(listener: Listener): void {
    this.#onOffer = listener;
  }

  onRequest(listener: Listener): void {
    this.#onRequest = listener;
  }

  onEnded(listener: (end: DialogEnd) => unknown): void {
    this.#onEnded = listener;
    const end = this.#end;
    if (end) this.#connection.guard(() => void listener(end));
  }

  async request(
    method: string,
    message: { readonly headers?: Headers; readonly contentType?: string; readonly body?: string },
  ): Promise<DialogResponse> {
    const proof = this.#proof;
    const uri = this.remoteTarget ?? '';
    const send = (): Promise<DialogResponse> => {
      const proven = proof && { ...proof.headers({ method, uri }), ...message.headers };

      return requestWithin(this.#connection, this.#id, method, {
        ...message,
        ...(proven && { headers: proven }),
      });
    };
    const answer = await send();

    return proof?.take(answer.status, (name) => answer.header(name) ?? '') ? send() : answer;
  }

  async bye(reason?: string): Promise<void> {
    if (this.#end) return;
    const text = reason?.replace(/["\\\r\n]/g, ' ');
    const headers: Record<string, string> =
      text === undefined ? {} : { reason: `SIP;cause=200;text="${text}"` };
    try {
      await this.request('BYE', { headers });
    } catch (error) {
      // There is no dialog any more that could be kept: whoever ends it has nothing left to do about it.
      this.#connection.report(asError(error));
    } finally {
      void this.#finish({ cause: 'other', reason });
    }
  }

  /** For the endpoint: a request inside this dialog. */
  receive(request: SrfRequest, response: SrfResponse): void {
    if (this.#early) this.#early.push(() => this.#handle(request, response));
    else this.#handle(request, response);
  }

  #open(): void {
    const early = this.#early ?? [];
    this.#early = undefined;
    for (const handle of early) handle();
  }

  #handle(request: SrfRequest, response: SrfResponse): void {
    const info = requestInfo(request);
    switch (request.method) {
      case 'ACK':
        return this.#acknowledged(info.body);
      case 'BYE':
        return this.#bye(this.#finish(endOf(request, info)), request, response);
      case 'INVITE':
      case 'UPDATE':
        return this.#ask(this.#onOffer, { info, response, unheard: 488 });
      default:
        return this.#ask(this.#onRequest, { info, response, unheard: answeredAlone[request.method] ?? 501 });
    }
  }

  /** First it is written, then it is answered: who is killed before gets it again. */
  #bye(heard: Promise<void>, { source }: SrfRequest, response: SrfResponse): void {
    // What the server ended by itself wants no answer: it would wait for one that nobody gets.
    if (source !== 'network') return;
    const impatience = new Promise<void>((resolve) => setTimeout(resolve, longestBeforeByeMs).unref());
    void Promise.race([heard, impatience]).then(() => this.#connection.replyOnly(response, { status: 200 }));
  }

  #acknowledged(body: string): void {
    const listener = this.#onAck;
    if (listener) this.#connection.guard(() => listener(body));
    else this.#unheardAcks.push(body);
  }

  #ask(
    listener: Listener | undefined,
    asked: { readonly info: RequestInfo; readonly response: SrfResponse; readonly unheard: number },
  ): void {
    let answered = false;
    const answer = (reply: Reply): void => {
      if (answered) return;
      answered = true;
      const isAccepted = reply.status >= 200 && reply.status < 300;
      const headers = isAccepted ? { ...this.#refreshed(asked.info), ...reply.headers } : reply.headers;
      this.#connection.replyOnly(asked.response, { ...reply, headers });
    };
    if (!listener) return answer({ status: asked.unheard });
    const ran = this.#connection.guard(() =>
      listener({ info: asked.info, respond: (status, given) => answer({ status, ...given }) }),
    );
    if (!ran) answer({ status: 500 });
  }

  /** A 2xx to INVITE or UPDATE begins the session's time anew. */
  #refreshed(info: RequestInfo): Headers {
    if (info.method !== 'INVITE' && info.method !== 'UPDATE') return {};
    this.#timer = agreeTimer(info, this.#timer);
    this.#refreshedMs = performance.now();

    return timerHeaders(this.#timer);
  }

  /** Settles once the application has written it down, and never rejects. */
  async #finish(end: DialogEnd): Promise<void> {
    if (this.#end) return;
    this.#end = end;
    this.#dialogs.delete(this.#id);
    const listener = this.#onEnded;
    let heard: unknown;
    if (listener)
      this.#connection.guard(() => {
        heard = listener(end);
      });
    await Promise.resolve(heard).catch((error: unknown) => this.#connection.report(asError(error)));
  }
}
