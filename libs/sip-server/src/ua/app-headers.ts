import type { Header, SipMessage } from '../message/message.ts';
import { makeHeader } from '../message/message.ts';
import { isToken, properName } from '../message/names.ts';
import { formatHostPort } from '../message/uri.ts';
import type { Endpoint } from '../transport/endpoint.ts';

/** What the server alone decides; applications' values are dropped. */
const OURS = new Set(['via', 'route', 'record-route', 'rseq', 'content-length']);
/** Where `@localhost` stands for the address we are known by. */
const LOCALISED = new Set(['from', 'to', 'contact', 'p-asserted-identity']);

/**
 * An application's headers as they may go out: ours and those of `without` left out, names spelt properly, invalid ones
 * dropped, `@localhost` replaced, and Content-Type added to a body that is plainly SDP.
 */
export function appHeaders(message: SipMessage, local: Endpoint, without: ReadonlySet<string>): Header[] {
  const list: Header[] = [];
  for (const { key, name, value } of message.headers) {
    if (OURS.has(key) || without.has(key) || !isToken(name)) continue;
    list.push(makeHeader(properName(name), LOCALISED.has(key) ? localise(value, local) : value));
  }
  if (looksLikeSdp(message) && !list.some(({ key }) => key === 'content-type')) {
    list.push(makeHeader('Content-Type', 'application/sdp'));
  }
  return list;
}

/** True where a body stands without a type, and is not SDP. */
export function lacksContentType(message: SipMessage): boolean {
  const isTyped = message.headers.some(({ key }) => key === 'content-type');
  return message.body.length > 0 && !isTyped && !looksLikeSdp(message);
}

function looksLikeSdp({ body }: SipMessage): boolean {
  return body.length > 3 && body.toString('latin1', 0, 3) === 'v=0';
}

/** Replaces the host `localhost` of a URI with the address and port the peer can reach us at. */
export function localise(value: string, { address, port }: Endpoint): string {
  if (!value.includes('@localhost')) return value;
  return value.replace(/@localhost(?![\w.:-])/g, `@${formatHostPort(address, port)}`);
}

/** Our Contact on a listener; with a sips URI where that is what was asked for (RFC 3261 §12.1.1). */
export function ownContact({ protocol, address, port }: Endpoint, requestUri = ''): string {
  const place = formatHostPort(address, port);
  if (/^sips:/i.test(requestUri)) return `<sips:${place}>`;
  return protocol === 'udp' ? `<sip:${place}>` : `<sip:${place};transport=${protocol}>`;
}
