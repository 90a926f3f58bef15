import { lookup } from 'node:dns';
import { isIP } from 'node:net';
import type { SipUri } from '../message/uri.ts';
import { parseUri } from '../message/uri.ts';
import type { Endpoint, Flow } from '../transport/endpoint.ts';
import type { Core } from './core.ts';

/**
 * Finds the way to a SIP URI (RFC 3263 without SRV and NAPTR: the URI's transport or UDP, its port or 5060, A and AAAA).
 * `done` gets a flow, or a text that says why there is none; at once for a numeric host, later for a name.
 */
export function locate(core: Core, uriText: string, done: (found: Flow | string) => void): void {
  const uri = parseUri(uriText);
  if (uri === undefined) return done(`invalid request-uri: ${uriText}`);
  const protocol = protocolOf(uri);
  if (protocol === undefined) return done('requested protocol/transport not available');
  const host = uri.params.get('maddr') ?? uri.host;
  const port = uri.port ?? 5060;
  if (isIP(host) !== 0) return done(flowTo(core, { protocol, address: host, port }));
  lookup(host, (error, address) => {
    done(
      error === null
        ? flowTo(core, { protocol, address, port })
        : `cannot resolve ${host}: ${error.code ?? ''}`,
    );
  });
}

function protocolOf(uri: SipUri): 'udp' | 'tcp' | undefined {
  const transport = uri.params.get('transport')?.toLowerCase() ?? 'udp';
  if (uri.scheme === 'sips' || (transport !== 'udp' && transport !== 'tcp')) return undefined;
  return transport;
}

function flowTo(core: Core, remote: Endpoint): Flow | string {
  if (core.transports.isOurs(remote)) return 'can not send request to myself';
  return core.transports.flowTo(remote) ?? 'requested protocol/transport not available';
}
