import type { SipRequest, SipResponse } from '../message/message.ts';
import { header } from '../message/message.ts';
import { tagOf } from '../message/address.ts';
import { cseqOf } from '../message/validate.ts';
import { BRANCH_COOKIE, topVia } from '../message/via.ts';

/**
 * What a request has in common with its repeats, its ACK and its CANCEL (RFC 3261 §17.2.3): branch, sent-by and method,
 * ACK and CANCEL counting as INVITE when `as` says so. Clients of RFC 2543 have no such branch: Call-ID, From tag,
 * CSeq number and Via stand in for it.
 */
export function serverKey(request: SipRequest, as: string = request.method): string | undefined {
  const via = topVia(request);
  if (via === undefined) return undefined;
  const branch = via.params.get('branch') ?? '';
  const sentBy = `${via.host.toLowerCase()}:${via.port ?? 5060}`;
  // The cookie alone is no identifier (RFC 4475 §3.2.1): such clients are taken for those of RFC 2543.
  if (branch.startsWith(BRANCH_COOKIE) && branch.length > BRANCH_COOKIE.length)
    return `${branch}|${sentBy}|${as}`;
  const from = tagOf(header(request, 'from')) ?? '';
  return `${header(request, 'call-id') ?? ''}|${from}|${cseqOf(request)?.number ?? 0}|${branch}|${sentBy}|${as}`;
}

/** What a response shares with the request we sent (RFC 3261 §17.1.3): the branch, which we made, and the method. */
export function clientKey(message: SipRequest | SipResponse): string | undefined {
  const branch = topVia(message)?.params.get('branch');
  const method = cseqOf(message)?.method;
  return branch === undefined || method === undefined ? undefined : `${branch}|${method}`;
}

/**
 * What a request outside of dialogs keeps on whatever path it comes: Call-ID, From tag, CSeq (RFC 3261 §8.2.2.2).
 * Undefined for one within a dialog, and for ACK and CANCEL.
 */
export function pathKey(request: SipRequest): string | undefined {
  const { method } = request;
  if (method === 'CANCEL' || method === 'ACK' || tagOf(header(request, 'to')) !== undefined) return undefined;
  const tag = tagOf(header(request, 'from'));
  const callId = header(request, 'call-id') ?? '';
  return tag === undefined ? undefined : `${callId}\n${tag}\n${cseqOf(request)?.number ?? 0}\n${method}`;
}
