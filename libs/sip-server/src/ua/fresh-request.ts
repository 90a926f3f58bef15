import { randomBytes, randomUUID } from 'node:crypto';
import { parseNameAddress, tagOf } from '../message/address.ts';
import type { Header, SipRequest } from '../message/message.ts';
import { header, makeHeader } from '../message/message.ts';
import { formatParams } from '../message/params.ts';
import { formatHostPort } from '../message/uri.ts';
import { cseqOf } from '../message/validate.ts';
import type { Endpoint } from '../transport/endpoint.ts';
import { appHeaders, localise, ownContact } from './app-headers.ts';
import type { Core } from './core.ts';
import type { MadeRequest } from './dialog-request.ts';
import { newVia } from './dialog-request.ts';
import { locate } from './locate.ts';
import { randomToken } from '../random-token.ts';

const HANDLED = new Set(['from', 'to', 'call-id', 'cseq', 'max-forwards']);
const NEEDS_CONTACT = new Set(['INVITE', 'SUBSCRIBE', 'REGISTER']);

/**
 * Completes an application's request outside of any dialog (RFC 3261 §8.1.1). It goes to the proxy, if one is named
 * (URI or host:port), else to its request URI. `done` gets it with its way, or a text that says why not.
 */
export function freshRequest(
  core: Core,
  message: SipRequest,
  proxy: string,
  done: (made: MadeRequest | string) => void,
): void {
  const hop = proxy === '' ? message.uri : /^sips?:/i.test(proxy) ? proxy : `sip:${proxy}`;
  locate(core, hop, (flow) => {
    done(
      typeof flow === 'string' ? flow : { request: complete(message, core.transports.knownAs(flow)), flow },
    );
  });
}

function complete(message: SipRequest, local: Endpoint): SipRequest {
  const extra = appHeaders(message, local, HANDLED);
  const isContactMissing = NEEDS_CONTACT.has(message.method) && !extra.some(({ key }) => key === 'contact');
  const seq = cseqOf(message)?.number ?? (randomBytes(3).readUIntBE(0, 3) || 1);
  return {
    ...message,
    headers: [
      newVia(local),
      makeHeader('Max-Forwards', header(message, 'max-forwards') ?? '70'),
      makeHeader('From', from(message, local)),
      to(message, local),
      makeHeader('Call-ID', header(message, 'call-id') ?? randomUUID()),
      makeHeader('CSeq', `${seq} ${message.method}`),
      ...(isContactMissing ? [makeHeader('Contact', ownContact(local, message.uri))] : []),
      ...extra,
    ],
  };
}

function from(message: SipRequest, local: Endpoint): string {
  const given = header(message, 'from') ?? `<sip:${formatHostPort(local.address, local.port)}>`;
  const value = bracketed(localise(given, local));
  return tagOf(value) === undefined ? `${value};tag=${randomToken()}` : value;
}

function to(message: SipRequest, local: Endpoint): Header {
  return makeHeader('To', bracketed(localise(header(message, 'to') ?? `<${message.uri}>`, local)));
}

/** A bare URI in angle brackets, so that a tag can't be taken for a parameter of the URI. */
function bracketed(value: string): string {
  if (value.includes('<')) return value;
  const address = parseNameAddress(value);
  return address === undefined ? value : `<${address.uri}>${formatParams(address.params)}`;
}
