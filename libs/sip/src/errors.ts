export type SipErrorCode =
  /** The setting for the SIP server is no `drachtio://host:port?secret=…`. */
  | 'SIP_SERVER_URL'
  /** The SIP server did not take our secret. */
  | 'SIP_AUTHENTICATION'
  /** The connection to the SIP server is away: nothing has left. */
  | 'SIP_DISCONNECTED'
  /** It went while we waited: nobody knows whether the server has done what we asked. */
  | 'SIP_UNANSWERED'
  /** The caller took the INVITE back before our answer. */
  | 'SIP_CANCELLED'
  /** The INVITE has had its final answer already. */
  | 'SIP_ANSWERED'
  /** The SIP server refused to send a message of ours. */
  | 'SIP_REFUSED'
  /** drachtio-srf would not send it, e.g. a status that it doesn't know. */
  | 'SIP_UNSENDABLE'
  /** A handler or listener of the application threw; `cause` is what it threw. */
  | 'SIP_HANDLER';

const theirs: ReadonlySet<SipErrorCode> = new Set(['SIP_SERVER_URL', 'SIP_CANCELLED']);

/** What went wrong in SIP, by a stable code. */
export class SipError extends Error {
  readonly code: SipErrorCode;
  readonly fault: 'ours' | 'theirs';

  constructor(code: SipErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'SipError';
    this.code = code;
    this.fault = theirs.has(code) ? 'theirs' : 'ours';
  }
}

/** Anything thrown, as an Error. */
export const asError = (thrown: unknown): Error =>
  thrown instanceof Error ? thrown : new Error(String(thrown));
