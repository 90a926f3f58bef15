import type { Connection, Reply } from './connection.ts';
import { dialogId, openedBy, SipDialog } from './dialog.ts';
import type { DialogTable } from './dialog.ts';
import { asError, SipError } from './errors.ts';
import { agreeTimer, timerHeaders } from './session-refresh.ts';
import type { SrfRequest, SrfResponse } from './srf.ts';
import type { Dialog, Headers, InviteReceived, RedirectContact, RequestInfo } from './types.ts';

type Answer = { readonly body: string; readonly contentType?: string; readonly headers?: Headers };

/** q with three decimals at most, RFC 3261 §25 (qvalue). */
const qvalue = (q: number): string => String(Math.round(Math.min(1, Math.max(0, q)) * 1000) / 1000);

export class IncomingInvite implements InviteReceived {
  readonly info: RequestInfo;
  readonly #connection: Connection;
  readonly #dialogs: DialogTable;
  readonly #request: SrfRequest;
  readonly #response: SrfResponse;
  #state: 'waiting' | 'answered' | 'cancelled' = 'waiting';
  #onCancelled: (() => void) | undefined;

  constructor(
    connection: Connection,
    dialogs: DialogTable,
    info: RequestInfo,
    exchange: { readonly request: SrfRequest; readonly response: SrfResponse },
  ) {
    this.info = info;
    this.#connection = connection;
    this.#dialogs = dialogs;
    this.#request = exchange.request;
    this.#response = exchange.response;
    this.#request.on('cancel', () => this.#cancel());
  }

  onCancelled(listener: () => void): void {
    this.#onCancelled = listener;
    if (this.#state === 'cancelled') this.#connection.guard(listener);
  }

  redirect(contacts: readonly RedirectContact[]): Promise<boolean> {
    const contact = contacts.map(({ uri, q }) => `<${uri}>;q=${qvalue(q)}`).join(', ');

    return this.#refuse({ status: 302, headers: { contact } });
  }

  reject(
    status: number,
    options: { readonly reason?: string; readonly headers?: Headers } = {},
  ): Promise<boolean> {
    return this.#refuse({ status, ...options });
  }

  async proxy(uri: string): Promise<boolean> {
    if (!this.#take()) return false;
    const options = { destination: [uri], remainInDialog: false, followRedirects: false };

    return this.#sent(
      this.#connection.ask(
        (done) => this.#request.proxy(options, done),
        () => true,
      ),
    );
  }

  async accept(answer: Answer): Promise<Dialog> {
    if (this.#state === 'cancelled') throw new SipError('SIP_CANCELLED', 'the INVITE was cancelled');
    if (!this.#take()) throw new SipError('SIP_ANSWERED', 'the INVITE has had its final answer');
    const timer = agreeTimer(this.info);
    const headers = { ...timerHeaders(timer), ...answer.headers };
    const reply = { status: 200, contentType: 'application/sdp', ...answer, headers };
    try {
      return await this.#connection.reply(
        this.#response,
        reply,
        (sent) =>
          new SipDialog(
            this.#connection,
            this.#dialogs,
            openedBy(this.info, sent?.raw ?? ''),
            this.#response.stackDialogId,
            { timer },
          ),
      );
    } catch (error) {
      if (!(error instanceof SipError && error.code === 'SIP_UNANSWERED')) throw this.#failure(error);
      const names = openedBy(this.info, '');

      return new SipDialog(this.#connection, this.#dialogs, names, dialogId(names), {
        timer,
        supposed: true,
      });
    }
  }

  #refuse(reply: Reply): Promise<boolean> {
    if (!this.#take()) return Promise.resolve(false);

    return this.#sent(this.#connection.reply(this.#response, reply, () => true));
  }

  async #sent(sending: Promise<boolean>): Promise<boolean> {
    try {
      return await sending;
    } catch (error) {
      this.#connection.report(this.#failure(error));

      return false;
    }
  }

  #take(): boolean {
    if (this.#state !== 'waiting') return false;
    this.#state = 'answered';

    return true;
  }

  /** The server refuses a final answer when the INVITE's transaction has ended already: the caller was faster. */
  #failure(error: unknown): Error {
    if (!(error instanceof SipError)) return asError(error);
    // A fault of ours must not leave the caller without an answer.
    if (error.code === 'SIP_UNSENDABLE') this.#connection.replyOnly(this.#response, { status: 500 });
    if (error.code !== 'SIP_REFUSED') return error;
    this.#cancel();

    return new SipError('SIP_CANCELLED', 'the INVITE was over before our answer', { cause: error });
  }

  #cancel(): void {
    if (this.#state === 'cancelled') return;
    this.#state = 'cancelled';
    const listener = this.#onCancelled;
    if (listener) this.#connection.guard(listener);
  }
}
