/** Why a call that was placed did not come about, or broke off. */
export type CallErrorCode =
  /** The far end answered with a final status of 300 or more. */
  | 'CALL_REFUSED'
  /** Nobody answered in time (RFC 3261 Timer B or F). */
  | 'CALL_TIMEOUT'
  /** No connection, or no such host. */
  | 'CALL_UNREACHABLE'
  /** We took the INVITE back. */
  | 'CALL_CANCELLED'
  /** What came back breaks the protocol. */
  | 'CALL_PROTOCOL';

/** A call that failed. `status` and `reason` are those of the last SIP response, if there was one. */
export class CallError extends Error {
  readonly code: CallErrorCode;
  readonly fault = 'theirs';
  readonly status: number | undefined;
  readonly reason: string | undefined;

  constructor(
    code: CallErrorCode,
    message: string,
    details: { readonly status?: number; readonly reason?: string; readonly cause?: unknown } = {},
  ) {
    super(message, { cause: details.cause });
    this.name = 'CallError';
    this.code = code;
    this.status = details.status;
    this.reason = details.reason;
  }
}

export const refused = (status: number, reason: string, by: string): CallError =>
  new CallError('CALL_REFUSED', `${by} answered ${status} ${reason}`, { status, reason });
