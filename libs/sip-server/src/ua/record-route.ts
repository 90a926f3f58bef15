import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { isIP } from 'node:net';
import { firstAddress, tagOf } from '../message/address.ts';
import type { Header, SipMessage, SipRequest } from '../message/message.ts';
import { header, headers, makeHeader } from '../message/message.ts';
import { splitOutside } from '../message/params.ts';
import { formatHostPort, parseUri } from '../message/uri.ts';
import { cseqOf } from '../message/validate.ts';
import type { Endpoint, Flow } from '../transport/endpoint.ts';
import type { Core } from './core.ts';

/**
 * Record-Route values that keep us in a dialog (§16.6, step 4), or Path for REGISTER (RFC 3327): one for each side where
 * request and answer use different listeners (RFC 5658). The parameter `k` proves that a dialog is one we took in.
 */
export function recordRoutes(core: Core, request: SipRequest, from: Flow, to: Flow): Header[] {
  const name = request.method === 'REGISTER' ? 'Path' : 'Record-Route';
  const value = (flow: Flow): string =>
    `<${routeUri(core.transports.knownAs(flow))};lr;k=${proof(core, request)}>`;
  const values = new Set([value(to), value(from)]);
  return [...values].map((each) => makeHeader(name, each));
}

function routeUri({ protocol, address, port }: Endpoint): string {
  return `sip:${formatHostPort(address, port)}${protocol === 'udp' ? '' : `;transport=${protocol}`}`;
}

function proof({ routeKey }: Core, message: SipMessage): string {
  return createHmac('sha256', routeKey)
    .update(header(message, 'call-id') ?? '', 'latin1')
    .digest('hex')
    .slice(0, 20);
}

/** The Route values of a request in a dialog that we have taken in, without ours; undefined for any other request. */
export function routesBeyondUs(core: Core, request: SipRequest): string[] | undefined {
  const routes = headers(request, 'route').flatMap((value) => splitOutside(value, ','));
  const beyond = routes.findIndex((route) => !isOurs(core, request, route));
  const ours = beyond === -1 ? routes.length : beyond;
  return ours === 0 ? undefined : routes.slice(ours);
}

function isOurs(core: Core, request: SipRequest, route: string): boolean {
  const uri = parseUri(firstAddress(route)?.uri ?? '');
  if (uri === undefined || isIP(uri.host) === 0) return false;
  const given = Buffer.from(uri.params.get('k') ?? '');
  const wanted = Buffer.from(proof(core, request));
  const isHere = core.transports.endpoints.some(({ protocol }) =>
    core.transports.isOurs({ protocol, address: uri.host, port: uri.port ?? 5060 }),
  );
  return isHere && given.length === wanted.length && timingSafeEqual(given, wanted);
}

/** What a request that went in a circle has in common with itself (§16.6, step 8): its end of our branches. */
export function loopMark(request: SipRequest): string {
  const { uri } = request;
  const from = tagOf(header(request, 'from')) ?? '';
  const to = tagOf(header(request, 'to')) ?? '';
  const parts = [
    uri,
    from,
    to,
    header(request, 'call-id'),
    cseqOf(request)?.number,
    headers(request, 'route'),
  ];
  return `.${createHash('sha1').update(JSON.stringify(parts)).digest('hex').slice(0, 12)}`;
}

/** True where a request has been here before, with nothing changed that its way depends on. */
export function hasLooped(request: SipRequest): boolean {
  const mark = loopMark(request);
  return headers(request, 'via').some((value) => /;\s*branch=([^;,\s]+)/i.exec(value)?.[1]?.endsWith(mark));
}
