import type { Header, SipRequest, SipResponse } from '../message/message.ts';
import { NO_BODY, header, headers, makeHeader } from '../message/message.ts';
import { splitOutside } from '../message/params.ts';
import { cseqOf } from '../message/validate.ts';

/** ACK to a final response that is no 2xx: same branch as the INVITE, To of the response (RFC 3261 §17.1.1.3). */
export function makeAck(invite: SipRequest, response: SipResponse): SipRequest {
  return hopByHop(invite, 'ACK', header(response, 'to') ?? '');
}

/** CANCEL of a request, by the rules of RFC 3261 §9.1; `extra` are headers to add, e.g. Reason. */
export function makeCancel(invite: SipRequest, extra: readonly Header[]): SipRequest {
  const cancel = hopByHop(invite, 'CANCEL', header(invite, 'to') ?? '');
  return { ...cancel, headers: [...cancel.headers, ...extra] };
}

function hopByHop(invite: SipRequest, method: string, to: string): SipRequest {
  const via = splitOutside(header(invite, 'via') ?? '', ',')[0] ?? '';
  return {
    kind: 'request',
    method,
    uri: invite.uri,
    headers: [
      makeHeader('Via', via),
      makeHeader('Max-Forwards', '70'),
      ...headers(invite, 'route').map((value) => makeHeader('Route', value)),
      makeHeader('From', header(invite, 'from') ?? ''),
      makeHeader('To', to),
      makeHeader('Call-ID', header(invite, 'call-id') ?? ''),
      makeHeader('CSeq', `${cseqOf(invite)?.number ?? 1} ${method}`),
    ],
    body: NO_BODY,
  };
}
