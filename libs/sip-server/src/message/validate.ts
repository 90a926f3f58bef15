import { parseNameAddress } from './address.ts';
import { Lately } from './lately.ts';
import type { SipMessage, SipRequest } from './message.ts';
import { header, headers } from './message.ts';
import { isToken } from './names.ts';
import { splitOutside } from './params.ts';
import { parseUri } from './uri.ts';
import { isViaList, parseVia } from './via.ts';

/** Sequence number and method of a CSeq header (RFC 3261 §20.16). */
export type CSeq = { readonly number: number; readonly method: string };

export type InvalidCause =
  | 'missing-header'
  | 'duplicate-header'
  | 'via'
  | 'cseq'
  | 'address'
  | 'contact'
  | 'max-forwards'
  | 'call-id'
  | 'uri';

const ONCE = ['from', 'to', 'call-id', 'cseq'] as const;

/** Why a well-formed message breaks RFC 3261 §8.1.1, or undefined where it doesn't. */
export function invalidCause(message: SipMessage): InvalidCause | undefined {
  const missing = missingOrDoubled(message);
  if (missing !== undefined) return missing;
  if (!headers(message, 'via').every(isViaList)) return 'via';
  const cseq = cseqOf(message);
  if (cseq === undefined) return 'cseq';
  if (message.kind === 'request' && cseq.method !== message.method) return 'cseq';
  if (header(message, 'call-id') === '') return 'call-id';
  if (!isOneAddress(header(message, 'from')) || !isOneAddress(header(message, 'to'))) return 'address';
  if (message.kind === 'response') return undefined;
  if (!isUri(message.uri)) return 'uri';
  if (!isHopCount(header(message, 'max-forwards'))) return 'max-forwards';
  return headers(message, 'contact').every(isContactList) ? undefined : 'contact';
}

/** 0 to 255 (§20.22); clients of RFC 2543 have none. */
function isHopCount(value: string | undefined): boolean {
  return value === undefined || (/^\d+$/.test(value) && Number(value) <= 255);
}

/** Can be read, and is no list: a comma must stand in quotes or brackets (§20.20, §20.39). */
function isOneAddress(value = ''): boolean {
  return splitOutside(value, ',').length === 1 && parseNameAddress(value) !== undefined;
}

/** Each contact can be read; one with headers must stand in angle brackets, or their end can't be told (§20.10). */
function isContactList(value: string): boolean {
  return splitOutside(value, ',').every((each) => {
    const address = parseNameAddress(each);
    return address !== undefined && (each.includes('<') || !hasHeaders(address.uri));
  });
}

function missingOrDoubled(message: SipMessage): InvalidCause | undefined {
  let hasVia = false;
  let seen = 0;
  let isDoubled = false;
  for (const { key } of message.headers) {
    if (key === 'via') hasVia = true;
    const bit = key === 'from' ? 1 : key === 'to' ? 2 : key === 'call-id' ? 4 : key === 'cseq' ? 8 : 0;
    if ((seen & bit) !== 0) isDoubled = true;
    seen |= bit;
  }
  if (!hasVia || seen !== 15) return 'missing-header';
  return isDoubled ? 'duplicate-header' : undefined;
}

/** A URI of another scheme is none of our business (416 is the answer above); a SIP one must be readable. */
function isUri(uri: string): boolean {
  const scheme = /^([A-Za-z][A-Za-z0-9+.-]*):./.exec(uri)?.[1]?.toLowerCase();
  if (scheme === undefined) return false;
  // Headers of a URI make the message that is sent to it; within a message they mean nothing (§19.1.1, table 1).
  return scheme === 'sip' || scheme === 'sips' ? parseUri(uri) !== undefined && !hasHeaders(uri) : true;
}

/** A question mark may also stand in the user part, where it begins nothing. */
function hasHeaders(uri: string): boolean {
  return uri.includes('?', uri.indexOf('@') + 1);
}

/** CSeq of a message; undefined where it is missing, malformed or not below 2^31 (§8.1.1.5). */
export function cseqOf(message: SipMessage): CSeq | undefined {
  return sequences.of(header(message, 'cseq') ?? '');
}

const sequences = new Lately(readCSeq);

function readCSeq(value: string): CSeq | undefined {
  const [number = '', method = '', more] = value.split(/[ \t]+/);
  if (more !== undefined || !/^\d{1,10}$/.test(number) || Number(number) >= 2 ** 31) return undefined;
  return isToken(method) ? { number: Number(number), method } : undefined;
}

/**
 * True where a refusal can be addressed: by the top Via. Of what else RFC 3261 §8.2.6 copies into a response, it copies
 * what there is (RFC 4475 §3.3.1).
 */
export function isAnswerable(message: SipMessage): boolean {
  return (
    message.kind === 'request' &&
    message.method !== 'ACK' &&
    parseVia(header(message, 'via') ?? '') !== undefined
  );
}

/** The request with only the first of each header that it should have once. */
export function withoutDoubles(request: SipRequest): SipRequest {
  const seen = new Set<string>();
  const kept = request.headers.filter(({ key }) => {
    const isDouble = seen.has(key);
    if (ONCE.some((each) => each === key)) seen.add(key);
    return !isDouble;
  });
  return { ...request, headers: kept };
}
