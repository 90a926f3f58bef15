import type { Guard } from './guard/guard.ts';
import { oversizeCause } from './guard/limits.ts';
import type { Header, SipMessage, SipRequest } from './message/message.ts';
import { header } from './message/message.ts';
import { METHODS } from './message/names.ts';
import { parseMessage } from './message/parse.ts';
import { invalidCause, isAnswerable, withoutDoubles } from './message/validate.ts';
import { stampVia, topVia } from './message/via.ts';
import { statelessResponse } from './stateless.ts';
import type { Flow } from './transport/endpoint.ts';
import type { Core } from './ua/core.ts';

/** Takes bytes off a socket. Whatever they are: read, counted, refused where that is allowed, and never thrown over. */
export function receive(core: Core, guard: Guard, bytes: Buffer, flow: Flow): void {
  try {
    if (guard.allows(flow.remote.address)) take(core, guard, bytes, flow);
    else deny(core, guard, bytes, flow);
  } catch (error) {
    // A bug of ours, met by one message: the others must not pay for it.
    core.bug('receive', error);
  }
}

/** False for the source of a connection that is closed unheard. */
export function isWelcome(core: Core, guard: Guard, address: string): boolean {
  if (guard.limits.answerDenied || guard.allows(address)) return true;
  core.counters.count('guard.denied');
  return false;
}

function take(core: Core, guard: Guard, bytes: Buffer, flow: Flow): void {
  const parsed = parseMessage(bytes);
  if (!parsed.ok) return reject(core, parsed.cause, parsed.message, flow);
  const message = stamped(parsed.message, flow);
  // A stream can't be cut without it: such a head is all that came (RFC 3261 §18.3).
  const isUnframed = flow.remote.protocol !== 'udp' && header(message, 'content-length') === undefined;
  const cause = isUnframed
    ? 'no-content-length'
    : (oversizeCause(message, bytes.length, guard.limits) ?? invalidCause(message));
  if (cause !== undefined) return reject(core, cause, message, flow);
  core.counters.count(message.kind === 'request' ? 'received.request' : 'received.response');
  core.transactions.receive(message, flow);
}

/** Answers a new request that may not come in; only what begins something is turned away. */
export function isTurnedAway(core: Core, guard: Guard, request: SipRequest, flow: Flow): boolean {
  if (!guard.concerns(request)) return false;
  const refusal = guard.refusal(request, flow.remote.address, {
    pending: core.incoming.size,
    queueMs: core.transports.queueMs,
    unsaved: core.dialogs.unsaved,
  });
  if (refusal !== undefined) {
    core.counters.count(`guard.${refusal.cause}`);
    answer(core, request, refusal.status, flow, refusal.headers);
    return true;
  }
  if (METHODS.has(request.method) || core.apps.canTake(request.method)) return false;
  core.counters.count('request.unknown-method');
  answer(core, request, 501, flow);
  return true;
}

function deny(core: Core, guard: Guard, bytes: Buffer, flow: Flow): void {
  core.counters.count('guard.denied');
  if (!guard.limits.answerDenied) return;
  const parsed = parseMessage(bytes);
  if (parsed.message !== undefined && isAnswerable(parsed.message)) {
    answer(core, stamped(parsed.message, flow) as SipRequest, 403, flow);
  }
}

function stamped(message: SipMessage, flow: Flow): SipMessage {
  if (message.kind === 'response') return message;
  const via = topVia(message);
  return via === undefined ? message : stampVia(message, via, flow.remote.address, flow.remote.port);
}

/** What a broken message is answered with, where it isn't 400. */
const STATUS_OF: Readonly<Record<string, number>> = {
  version: 505,
  oversize: 513,
  'uri-size': 414,
  'body-size': 413,
};

function reject(core: Core, cause: string, message: SipMessage | undefined, flow: Flow): void {
  core.counters.count(`malformed.${cause}`);
  if (message === undefined || !isAnswerable(message)) return;
  answer(core, withoutDoubles(stamped(message, flow) as SipRequest), STATUS_OF[cause] ?? 400, flow);
}

function answer(
  core: Core,
  request: SipRequest,
  status: number,
  flow: Flow,
  extra: readonly Header[] = [],
): void {
  const bytes = statelessResponse(request, status, extra);
  core.transports.send(bytes, flow, () => core.counters.count('malformed.not-answered'));
}
