import { formatMessage } from './message/format.ts';
import type { SipMessage, SipRequest } from './message/message.ts';
import { header } from './message/message.ts';
import { parseMessage } from './message/parse.ts';
import { makeResponse } from './message/response.ts';
import { invalidCause, isAnswerable } from './message/validate.ts';
import { stampVia, topVia } from './message/via.ts';
import type { Flow } from './transport/endpoint.ts';
import type { Core } from './ua/core.ts';
import { randomToken } from './random-token.ts';

/** Takes bytes off a socket. Whatever they are: read, counted, refused where that is allowed, and never thrown over. */
export function receive(core: Core, bytes: Buffer, flow: Flow): void {
  try {
    const parsed = parseMessage(bytes);
    if (!parsed.ok) return reject(core, parsed.cause, parsed.message, flow);
    const message = stamped(parsed.message, flow);
    // A stream can't be cut without it: such a head is all that came (RFC 3261 §18.3).
    const isUnframed = flow.remote.protocol !== 'udp' && header(message, 'content-length') === undefined;
    const cause = isUnframed ? 'no-content-length' : invalidCause(message);
    if (cause !== undefined) return reject(core, cause, message, flow);
    core.counters.count(message.kind === 'request' ? 'received.request' : 'received.response');
    core.transactions.receive(message, flow);
  } catch (error) {
    // A bug of ours, met by one message: the others must not pay for it.
    core.bug('receive', error);
  }
}

function stamped(message: SipMessage, flow: Flow): SipMessage {
  if (message.kind === 'response') return message;
  const via = topVia(message);
  return via === undefined ? message : stampVia(message, via, flow.remote.address, flow.remote.port);
}

function reject(core: Core, cause: string, message: SipMessage | undefined, flow: Flow): void {
  core.counters.count(`malformed.${cause}`);
  if (message === undefined || !isAnswerable(message)) return;
  const request = stamped(message, flow) as SipRequest;
  const response = makeResponse(request, cause === 'version' ? 505 : 400, { toTag: randomToken() });
  core.transports.send(formatMessage(response), flow, () => core.counters.count('malformed.not-answered'));
}
