import type { Header, SipRequest, SipResponse } from './message.ts';
import { NO_BODY, makeHeader } from './message.ts';
import { tagOf } from './address.ts';

const REASONS: Readonly<Record<number, string>> = {
  100: 'Trying',
  200: 'OK',
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  405: 'Method Not Allowed',
  408: 'Request Timeout',
  413: 'Request Entity Too Large',
  414: 'Request-URI Too Long',
  416: 'Unsupported URI Scheme',
  420: 'Bad Extension',
  422: 'Session Interval Too Small',
  481: 'Call/Transaction Does Not Exist',
  482: 'Loop Detected',
  483: 'Too Many Hops',
  487: 'Request Terminated',
  491: 'Request Pending',
  500: 'Server Internal Error',
  501: 'Not Implemented',
  503: 'Service Unavailable',
  504: 'Server Time-out',
  505: 'Version Not Supported',
  513: 'Message Too Large',
};

export type ResponseParts = {
  readonly reason?: string;
  /** Tag to put on To where it has none; a 100 has none (RFC 3261 §8.2.6.2). */
  readonly toTag?: string;
  readonly headers?: readonly Header[];
  readonly body?: Buffer;
};

/** A response with what RFC 3261 §8.2.6 copies from the request: Via, From, To, Call-ID, CSeq. */
export function makeResponse(request: SipRequest, status: number, parts: ResponseParts = {}): SipResponse {
  const copied: Header[] = [];
  for (const each of request.headers) {
    if (each.key === 'to') copied.push(withTag(each, parts.toTag));
    else if (COPIED.has(each.key)) copied.push(each);
  }
  return {
    kind: 'response',
    status,
    reason: parts.reason ?? REASONS[status] ?? 'Unknown',
    headers: [...copied, ...(parts.headers ?? [])],
    body: parts.body ?? NO_BODY,
  };
}

const COPIED = new Set(['via', 'from', 'call-id', 'cseq']);

function withTag(to: Header, tag: string | undefined): Header {
  if (tag === undefined || tagOf(to.value) !== undefined) return to;
  return makeHeader('To', `${to.value};tag=${tag}`);
}
