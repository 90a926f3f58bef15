import { createHash, randomBytes } from 'node:crypto';
import { tagOf } from './message/address.ts';
import { formatMessage } from './message/format.ts';
import type { Header, SipRequest } from './message/message.ts';
import { header } from './message/message.ts';
import { makeResponse } from './message/response.ts';
import { topVia } from './message/via.ts';

const SALT = randomBytes(8).toString('hex');

/** Bytes of a response made without keeping anything of the request: the same for each repeat (RFC 3261 §8.2.7). */
export function statelessResponse(
  request: SipRequest,
  status: number,
  extra: readonly Header[] = [],
): Buffer {
  return formatMessage(makeResponse(request, status, { toTag: tagFor(request), headers: extra }));
}

function tagFor(request: SipRequest): string {
  const from = tagOf(header(request, 'from')) ?? '';
  const branch = topVia(request)?.params.get('branch') ?? '';
  const parts = [SALT, header(request, 'call-id'), header(request, 'cseq'), from, branch];
  return createHash('sha1').update(parts.join('\n')).digest('hex').slice(0, 16);
}
