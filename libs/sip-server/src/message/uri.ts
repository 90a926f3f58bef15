import { isIP } from 'node:net';
import { Lately } from './lately.ts';
import type { Params } from './params.ts';
import { parseParams } from './params.ts';

/** A SIP or SIPS URI (RFC 3261 §19.1). IPv6 hosts are held without brackets. */
export type SipUri = {
  readonly scheme: 'sip' | 'sips';
  readonly user: string | undefined;
  readonly host: string;
  readonly port: number | undefined;
  readonly params: Params;
};

/** Reads a SIP URI; undefined where it is another scheme or malformed. URI headers (`?…`) are left out. */
export function parseUri(text: string): SipUri | undefined {
  return uris.of(text);
}

const uris = new Lately(readUri);

function readUri(text: string): SipUri | undefined {
  const colon = text.indexOf(':');
  const scheme = text.slice(0, colon).toLowerCase();
  if (scheme !== 'sip' && scheme !== 'sips') return undefined;
  const at = text.indexOf('@', colon);
  const user = at === -1 ? undefined : text.slice(colon + 1, at);
  let rest = text.slice(at === -1 ? colon + 1 : at + 1);
  const question = rest.indexOf('?');
  if (question !== -1) rest = rest.slice(0, question);
  const semicolon = rest.indexOf(';');
  const place = parseHostPort(semicolon === -1 ? rest : rest.slice(0, semicolon));
  if (place === undefined) return undefined;
  const params = parseParams(semicolon === -1 ? '' : rest.slice(semicolon));
  return { scheme, user, host: place.host, port: place.port, params };
}

/** RFC 3261's grammar allows one colon too many before an IPv4 part, which must be tolerated (RFC 5118 §4.10). */
const THREE_COLONS = /:::(?=\d+\.\d+\.\d+\.\d+$)/;

/** Reads `host`, `host:port`, `[v6]` or `[v6]:port`; undefined where it is none of these. */
export function parseHostPort(text: string): HostPort | undefined {
  return places.of(text);
}

type HostPort = { readonly host: string; readonly port: number | undefined };

const places = new Lately(readHostPort);

function readHostPort(text: string): HostPort | undefined {
  const match = /^(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9._~-]+))(?:\s*:\s*(\d{1,5}))?$/.exec(text.trim());
  if (match === null) return undefined;
  const host = match[1] === undefined ? (match[2] ?? '') : match[1].replace(THREE_COLONS, '::');
  if (match[1] !== undefined && isIP(host) !== 6) return undefined;
  const port = match[3] === undefined ? undefined : Number(match[3]);
  if (port !== undefined && (port === 0 || port > 65_535)) return undefined;
  return { host, port };
}

/** `host:port`, with brackets around an IPv6 address. */
export function formatHostPort(host: string, port?: number): string {
  const name = host.includes(':') ? `[${host}]` : host;
  return port === undefined ? name : `${name}:${port}`;
}
