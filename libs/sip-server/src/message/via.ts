import { Lately } from './lately.ts';
import type { SipMessage, SipRequest } from './message.ts';
import { header, replaceFirst } from './message.ts';
import type { Params } from './params.ts';
import { formatParams, parseParams, splitOutside } from './params.ts';
import { formatHostPort, parseHostPort } from './uri.ts';

/** One Via value (RFC 3261 §20.42). */
export type Via = {
  /** Left out for 2.0. */
  readonly version?: string;
  /** Upper case: UDP, TCP, TLS. */
  readonly transport: string;
  readonly host: string;
  readonly port: number | undefined;
  readonly params: Params;
};

/** Prefix of every branch made by RFC 3261 (§8.1.1.7): such a branch alone identifies the transaction. */
export const BRANCH_COOKIE = 'z9hG4bK';

/** Reads the first Via of a value that may be a comma list; undefined where it is malformed. */
export function parseVia(value: string): Via | undefined {
  return single.of(splitOutside(value, ',')[0] ?? '');
}

/** True where each value of the list is whole and of SIP/2.0, with no parameter left empty. */
export function isViaList(value: string): boolean {
  return splitOutside(value, ',').every((each) => {
    const via = single.of(each);
    return via !== undefined && via.version === undefined && !/;\s*(;|$)/.test(each);
  });
}

function parseOneVia(first: string): Via | undefined {
  const semicolon = first.indexOf(';');
  const plain = semicolon === -1 ? first : first.slice(0, semicolon);
  const match = /^SIP\s*\/\s*(\d+\.\d+)\s*\/\s*([A-Za-z0-9-]+)\s+(\S.*)$/i.exec(plain);
  if (match === null) return undefined;
  const place = parseHostPort(match[3] ?? '');
  if (place === undefined) return undefined;
  const params = parseParams(semicolon === -1 ? '' : first.slice(semicolon));
  const transport = (match[2] ?? '').toUpperCase();
  const version = match[1] === '2.0' ? {} : { version: match[1] ?? '' };
  return { ...version, transport, host: place.host, port: place.port, params };
}

const single = new Lately(parseOneVia);

export function formatVia(via: Via): string {
  return `SIP/${via.version ?? '2.0'}/${via.transport} ${formatHostPort(via.host, via.port)}${formatParams(via.params)}`;
}

export function topVia(message: SipMessage): Via | undefined {
  const value = header(message, 'via');
  return value === undefined ? undefined : parseVia(value);
}

/**
 * The request with `received` and `rport` of its top Via filled in from the source (RFC 3261 §18.2.1, RFC 3581 §4).
 * rport is filled in also where the client did not ask: answers then pass a NAT whatever the client knows.
 */
export function stampVia(request: SipRequest, via: Via, address: string, port: number): SipRequest {
  const params = new Map(via.params);
  params.set('received', address);
  params.set('rport', String(port));
  const stamped = { ...via, params };
  const first = formatVia(stamped);
  single.know(first, stamped);
  const rest = splitOutside(header(request, 'via') ?? '', ',').slice(1);
  const value = rest.length === 0 ? first : [first, ...rest].join(', ');
  return { ...request, headers: replaceFirst(request.headers, 'via', value) };
}
