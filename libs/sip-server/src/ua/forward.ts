import { isIP } from 'node:net';
import { firstAddress } from '../message/address.ts';
import type { Header, SipRequest, SipResponse } from '../message/message.ts';
import { header, makeHeader } from '../message/message.ts';
import { splitOutside } from '../message/params.ts';
import { parseUri } from '../message/uri.ts';
import type { Flow } from '../transport/endpoint.ts';
import { defaultPort } from '../transport/endpoint.ts';
import type { Core } from './core.ts';
import { newVia } from './dialog-request.ts';

/** A request as a proxy sends it on (RFC 3261 §16.6): new URI, our Via on top, one hop less, our own Route used up. */
export function forwarded(
  core: Core,
  request: SipRequest,
  uri: string,
  flow: Flow,
  added: { readonly first: readonly Header[]; readonly extra: readonly Header[] },
): SipRequest {
  const hops = Number(header(request, 'max-forwards') ?? 71) - 1;
  const kept = withoutOurRoute(core, request.headers).filter(({ key }) => key !== 'max-forwards');
  return {
    ...request,
    uri,
    headers: [
      newVia(core.transports.knownAs(flow)),
      makeHeader('Max-Forwards', String(Math.min(hops, 70))),
      ...added.first,
      ...kept,
      ...added.extra,
    ],
  };
}

function withoutOurRoute(core: Core, list: readonly Header[]): Header[] {
  const at = list.findIndex(({ key }) => key === 'route');
  if (at === -1) return [...list];
  const [top = '', ...rest] = splitOutside(list[at]?.value ?? '', ',');
  const uri = parseUri(firstAddress(top)?.uri ?? '');
  const isOurs =
    uri !== undefined &&
    isIP(uri.host) !== 0 &&
    (['udp', 'tcp', 'tls'] as const).some((protocol) =>
      core.transports.isOurs({ protocol, address: uri.host, port: uri.port ?? defaultPort(protocol) }),
    );
  if (!isOurs) return [...list];
  const remaining = rest.length > 0 ? [makeHeader('Route', rest.join(', '))] : [];
  return [...list.slice(0, at), ...remaining, ...list.slice(at + 1)];
}

/** A response on its way back: without the Via that was ours (§16.7, step 3). */
export function returned(response: SipResponse): SipResponse {
  const at = response.headers.findIndex(({ key }) => key === 'via');
  const rest = splitOutside(response.headers[at]?.value ?? '', ',').slice(1);
  const remaining = rest.length > 0 ? [makeHeader('Via', rest.join(', '))] : [];
  return {
    ...response,
    headers: [...response.headers.slice(0, at), ...remaining, ...response.headers.slice(at + 1)],
  };
}
