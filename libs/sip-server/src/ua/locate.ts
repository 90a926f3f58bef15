import { lookup } from 'node:dns';
import { isIP } from 'node:net';
import type { SipUri } from '../message/uri.ts';
import { parseUri } from '../message/uri.ts';
import type { Endpoint, Flow, Protocol } from '../transport/endpoint.ts';
import { defaultPort } from '../transport/endpoint.ts';
import type { Core } from './core.ts';

/**
 * Finds the way to a SIP URI (RFC 3263 without SRV and NAPTR: the URI's transport or UDP, its port or the
 * protocol's, A and AAAA). sips means TLS, whatever transport stands beside it (RFC 3261 §26.2.2).
 * `done` gets a flow, or a text that says why there is none; at once for a numeric host, later for a name.
 */
export function locate(core: Core, uriText: string, done: (found: Flow | string) => void): void {
  const uri = parseUri(uriText);
  if (uri === undefined) return done(`invalid request-uri: ${uriText}`);
  const protocol = protocolOf(uri);
  if (protocol === undefined) return done('requested protocol/transport not available');
  const host = uri.params.get('maddr') ?? uri.host;
  const port = uri.port ?? defaultPort(protocol);
  if (isIP(host) !== 0) return done(flowTo(core, { protocol, address: host, port }));
  lookup(host, (error, address) => {
    done(
      error === null
        ? flowTo(core, { protocol, address, port, ...(protocol === 'tls' ? { name: host } : {}) })
        : `cannot resolve ${host}: ${error.code ?? ''}`,
    );
  });
}

function protocolOf(uri: SipUri): Protocol | undefined {
  const transport = uri.params.get('transport')?.toLowerCase() ?? (uri.scheme === 'sips' ? 'tls' : 'udp');
  if (uri.scheme === 'sips') return transport === 'tls' || transport === 'tcp' ? 'tls' : undefined;
  return transport === 'udp' || transport === 'tcp' || transport === 'tls' ? transport : undefined;
}

function flowTo(core: Core, remote: Endpoint): Flow | string {
  if (core.transports.isOurs(remote)) return 'can not send request to myself';
  return core.transports.flowTo(remote) ?? 'requested protocol/transport not available';
}
