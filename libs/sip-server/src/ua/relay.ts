import { firstAddress } from '../message/address.ts';
import { formatMessage } from '../message/format.ts';
import type { SipRequest } from '../message/message.ts';
import { header, makeHeader } from '../message/message.ts';
import { makeResponse } from '../message/response.ts';
import type { ServerTransaction } from '../transaction/server-transaction.ts';
import { randomToken } from '../random-token.ts';
import type { Core } from './core.ts';
import { forwarded } from './forward.ts';
import { takeIn } from './incoming.ts';
import { locate } from './locate.ts';
import { ProxyRun } from './proxy-run.ts';
import { routesBeyondUs } from './record-route.ts';

/*
 * Requests within dialogs that a proxied INVITE has led through us (RFC 3261 §16.12.1.2): they go on to the next Route, or
 * to their request URI, without the application.
 */

/** Passes a request on; false where it is not in a dialog that we have taken in. */
export function relayRequest(core: Core, transaction: ServerTransaction): boolean {
  const { request } = transaction;
  const routes = routesBeyondUs(core, request);
  if (routes === undefined) return false;
  if (header(request, 'max-forwards') === '0') {
    transaction.respond(makeResponse(request, 483, { toTag: randomToken() }));
    return true;
  }
  core.counters.count('proxy.relayed');
  const options = {
    destinations: [request.uri],
    atOnce: false,
    recordsRoute: false,
    followsRedirects: false,
    extra: [],
    limits: { provisionalMs: undefined, finalMs: undefined },
    routes,
  };
  new ProxyRun(core, takeIn(core, transaction), options, silent).proceed();
  return true;
}

const silent = { answered: () => {}, done: () => {} };

/** Passes the ACK to a 2xx on, which has no transaction; false where it is not ours to pass. */
export function relayAck(core: Core, ack: SipRequest): boolean {
  const routes = routesBeyondUs(core, ack);
  if (routes === undefined || header(ack, 'max-forwards') === '0') return false;
  const list = ack.headers.filter(({ key }) => key !== 'route');
  const onward = { ...ack, headers: [...routes.map((route) => makeHeader('Route', route)), ...list] };
  locate(core, asUri(routes[0] ?? ack.uri), (flow) => {
    if (typeof flow === 'string') return core.counters.count('proxy.no-way');
    const bytes = formatMessage(forwarded(core, onward, ack.uri, flow, { first: [], extra: [] }));
    return core.transports.send(bytes, flow, () => core.counters.count('ack.not-sent'));
  });
  return true;
}

function asUri(route: string): string {
  return firstAddress(route)?.uri ?? route;
}
