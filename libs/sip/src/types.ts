import type { SessionTimer } from './session-refresh.ts';

/** The narrow types behind which drachtio-srf stands. Nobody else sees `req`, `res` or `srf`. */

export type Transport = 'udp' | 'tcp' | 'tls';

export type Source = { readonly address: string; readonly port: number; readonly transport: Transport };

/** Parameters without a value are present as an empty string; names are in lower case, values untouched. */
export type Parameters = Readonly<Record<string, string>>;

export type NameAddr = {
  readonly displayName: string | undefined;
  readonly uri: string;
  /** User part of the URI, unescaped; undefined where it has none. */
  readonly user: string | undefined;
  readonly host: string;
  /** Parameters inside the angle brackets (of the URI). */
  readonly uriParameters: Parameters;
  /** Parameters behind them (of the header). */
  readonly parameters: Parameters;
};

/** What every request tells, parsed once. */
export type RequestInfo = {
  readonly callId: string;
  readonly method: string;
  readonly requestUri: string;
  readonly from: NameAddr;
  readonly to: NameAddr;
  readonly contact: NameAddr | undefined;
  readonly source: Source;
  /** Local address and port the request arrived on. */
  readonly receivedOn: { readonly address: string; readonly port: number } | undefined;
  readonly userAgent: string | undefined;
  /** Value of a header; several of one name are joined by a comma and a blank (RFC 3261 §7.3.1). */
  header(name: string): string | undefined;
  readonly contentType: string | undefined;
  /** The body as it came; empty where there was none. */
  readonly body: string;
};

export type RedirectContact = {
  /** e.g. `<sip:9000@10.0.0.7:5060;transport=tcp>` without brackets. */
  readonly uri: string;
  /** 0 to 1, three decimals at most. */
  readonly q: number;
};

export type Headers = Readonly<Record<string, string>>;

/** An INVITE that opens a dialog. Exactly one of the answers may be given; a second is ignored and returns false. */
export interface InviteReceived {
  readonly info: RequestInfo;
  /** Called once if the caller takes the INVITE back before a final answer. */
  onCancelled(listener: () => void): void;
  redirect(contacts: readonly RedirectContact[]): Promise<boolean>;
  reject(
    status: number,
    options?: { readonly reason?: string; readonly headers?: Headers },
  ): Promise<boolean>;
  /** Forwards the INVITE to `uri` instead of redirecting; resolves when a final answer has gone back. */
  proxy(uri: string): Promise<boolean>;
  /**
   * Sends 200; resolves with the dialog when it left. Attach its listeners in the same turn: frames wait only for that.
   * Throws SipError `SIP_CANCELLED` if the caller was faster, `SIP_DISCONNECTED` if the server is away: then nothing has left.
   * Where the server went meanwhile the dialog is `supposed`.
   */
  accept(answer: {
    readonly body: string;
    readonly contentType?: string;
    readonly headers?: Headers;
  }): Promise<Dialog>;
}

export type DialogEnd = {
  /**
   * `bye`: the peer hung up; the others were decided on our side, `other` by `Dialog.bye` too. `peer-gone`: the server asked
   * a peer without session timers, and had no answer.
   */
  readonly cause: 'bye' | 'ack-timeout' | 'session-expired' | 'peer-gone' | 'cancelled' | 'other';
  readonly reason: string | undefined;
};

/** A request inside a dialog that wants an answer (re-INVITE, UPDATE, INFO …). */
export interface InDialogRequest {
  readonly info: RequestInfo;
  respond(
    status: number,
    answer?: { readonly body?: string; readonly contentType?: string; readonly headers?: Headers },
  ): void;
}

/** The answer to a request of ours inside a dialog. */
export type DialogResponse = {
  readonly status: number;
  /** Value of a header; undefined where it is absent. */
  header(name: string): string | undefined;
  readonly body: string;
};

export interface Dialog {
  readonly callId: string;
  readonly localTag: string;
  readonly remoteTag: string;
  /**
   * Nobody knows whether the 200 that opens it has left, for the server went. If it has, its ACK comes; if not, its INVITE
   * comes again, if anything does.
   */
  readonly supposed: boolean;
  /** URI of the peer's Contact, for which requests of ours are; known of dialogs that a call of ours opened. */
  readonly remoteTarget: string | undefined;
  /** What was agreed on how long it lives (RFC 4028); undefined where its peer knows no timers. */
  readonly timer: SessionTimer | undefined;
  /** When that was agreed on or refreshed last: milliseconds of `performance.now()`. */
  readonly refreshedMs: number;
  /** Body of each ACK that confirmed a 200 of ours, empty where it had none: the answer to an offer of ours. */
  onAck(listener: (body: string) => void): void;
  /** re-INVITE and UPDATE; where there is no listener they are answered 488. */
  onOffer(listener: (request: InDialogRequest) => void): void;
  /** INFO and others; where there is no listener they are answered 200 (INFO) or 501. */
  onRequest(listener: (request: InDialogRequest) => void): void;
  /**
   * Called once, when the dialog is over. A BYE is answered 200 once what the listener gives has settled, or half a second
   * later.
   */
  onEnded(listener: (end: DialogEnd) => unknown): void;
  /**
   * Sends a request and resolves with its final answer; an INVITE's 2xx is acknowledged. Throws SipError `SIP_REFUSED` where
   * the server knows no such dialog or could not send it, `SIP_DISCONNECTED` or `SIP_UNANSWERED` if the server went.
   */
  request(
    method: string,
    message: { readonly headers?: Headers; readonly contentType?: string; readonly body?: string },
  ): Promise<DialogResponse>;
  /** Sends BYE; resolves when it is answered or given up. */
  bye(reason?: string): Promise<void>;
}

/** What a call of ours proves itself by, where it is asked to (RFC 3261 §22). */
export type Credentials = {
  readonly user: string;
  readonly password: string;
  /** The only realm that is answered; undefined: whichever asks. */
  readonly realm: string | undefined;
};

/** A call of ours, on its way. */
export type OutgoingCall = {
  /** Whom it is for: request URI and To. */
  readonly uri: string;
  /** SIP URI of the next hop; undefined: the host of `uri`. */
  readonly proxy: string | undefined;
  readonly callId: string;
  /** URI and tag of From. */
  readonly from: string;
  readonly fromTag: string;
  /** Value of Contact. */
  readonly contact: string;
  readonly headers?: Headers;
  /** Our offer. */
  readonly body: string;
  /** Shown to who answers 401 or 407. Default: such an answer is final. */
  readonly credentials?: Credentials;
  /** Whether a target of a 3xx may be tried, which is another host perhaps. Default: none may, a 3xx is final. */
  readonly mayFollow?: (uri: string) => boolean;
  /** Takes the call back: CANCEL, or BYE where it is answered all the same. */
  readonly signal?: AbortSignal;
};

export type CallOutcome =
  | {
      readonly answered: true;
      readonly dialog: Dialog;
      /** Body of the 200. */
      readonly body: string;
      /** Sends the ACK, which is owed: the peer repeats its 200 until then, and gives up after 32 s. */
      acknowledge(): void;
    }
  | {
      readonly answered: false;
      /** Final status; 408 and 503 may be made by our SIP server, where nobody answered or could be reached. */
      readonly status: number;
      readonly reason: string;
      /** Where it was sent on to, in order. */
      readonly followed: readonly string[];
      /** The signal has taken it back. */
      readonly wasTakenBack: boolean;
    };

/** A dialog of an earlier life of this application, from what that noted of it. */
export type KnownDialog = Pick<Dialog, 'callId' | 'localTag' | 'remoteTag'> & {
  /** Whether a call of ours opened it. Default false: a 200 of ours did. */
  readonly isOurs?: boolean;
  /** Of a call of ours, and what requests in it are proven by where somebody asks. */
  readonly remoteTarget?: string | undefined;
  readonly credentials?: Credentials | undefined;
  /** What was agreed on how long it lives, and when it was refreshed last, ms of `performance.now()`. */
  readonly timer?: SessionTimer | undefined;
  readonly refreshedMs?: number | undefined;
};

export type SipHandlers = {
  invite(invite: InviteReceived): void;
  /** Answer to OPTIONS outside a dialog. */
  options(info: RequestInfo): {
    readonly status: number;
    readonly reason?: string;
    readonly headers?: Headers;
  };
  /**
   * A request came in a dialog that this endpoint doesn't know: an earlier life of this application opened it. True takes
   * the dialog over, attach its listeners before: they get this request first. False, or no such handler: 481.
   */
  adopt?(dialog: Dialog, request: RequestInfo): boolean;
  /** The connection to the SIP server came or went. `addresses` as the server tells them, `udp/127.0.0.1:5060`. */
  connection?(state: { readonly connected: boolean; readonly addresses: readonly string[] }): void;
  /**
   * Whether the SIP server can save its dialogs: while it can't it refuses new calls, whatever this endpoint would say. Undefined
   * as long as it can; told after each `connection` by a server that keeps them, and at each change.
   */
  storage?(trouble: string | undefined): void;
  /** Anything that went wrong with one request, for the log; nothing else is harmed. */
  error?(error: Error): void;
};

export interface SipEndpoint extends AsyncDisposable {
  readonly connected: boolean;
  /**
   * A dialog that an earlier life of this application had, from what it noted of it; the one in hand where there is one. Of
   * the tags, that of the side that opened it must be known. If the server does not know it either, `bye` ends it and
   * reports `SIP_REFUSED`.
   */
  resume(known: KnownDialog): Dialog;
  /**
   * Places a call; resolves with its final answer. Throws SipError `SIP_UNANSWERED` (nobody knows what became of it),
   * `SIP_DISCONNECTED`, `SIP_REFUSED` or `SIP_UNSENDABLE`.
   */
  call(call: OutgoingCall): Promise<CallOutcome>;
}

export type SipOptions = {
  /** `drachtio://host:port?secret=…` */
  readonly server: string;
  /** Value of the Server header of our responses. */
  readonly product: string;
};
