import { Lately } from './lately.ts';

/** Compact forms (RFC 3261 §7.3.3 and the IANA registry) to long, lower-case names. */
const COMPACT: Readonly<Record<string, string>> = {
  a: 'accept-contact',
  b: 'referred-by',
  c: 'content-type',
  d: 'request-disposition',
  e: 'content-encoding',
  f: 'from',
  i: 'call-id',
  j: 'reject-contact',
  k: 'supported',
  l: 'content-length',
  m: 'contact',
  n: 'identity-info',
  o: 'event',
  r: 'refer-to',
  s: 'subject',
  t: 'to',
  u: 'allow-events',
  v: 'via',
  x: 'session-expires',
  y: 'identity',
};

const IRREGULAR: Readonly<Record<string, string>> = {
  'call-id': 'Call-ID',
  cseq: 'CSeq',
  'mime-version': 'MIME-Version',
  rack: 'RAck',
  rseq: 'RSeq',
  'min-se': 'Min-SE',
  'www-authenticate': 'WWW-Authenticate',
  'sip-etag': 'SIP-ETag',
  'sip-if-match': 'SIP-If-Match',
};

/** The name lookups use for a header as spelt on the wire: `m` and `CONTACT` are both `contact`. */
export function headerKey(name: string): string {
  const lower = name.toLowerCase();
  return lower.length === 1 ? (COMPACT[lower] ?? lower) : lower;
}

/** How we spell a header that an application gave in lower case; extension names (X-, P-) are left as they are. */
export function properName(name: string): string {
  return proper.of(name);
}

const proper = new Lately(readProperName);

function readProperName(name: string): string {
  const key = headerKey(name);
  const irregular = IRREGULAR[key];
  if (irregular !== undefined) return irregular;
  if (/^[XP]-/.test(name)) return name;
  return key.replace(/(^|-)([a-z])/g, (_, dash: string, letter: string) => dash + letter.toUpperCase());
}

/** RFC 3261 §25.1 `token`: what a method or a header name may consist of. */
export function isToken(text: string): boolean {
  if (text.length === 0) return false;
  for (let at = 0; at < text.length; at++) {
    if (TOKEN_CHARS[text.charCodeAt(at)] !== 1) return false;
  }
  return true;
}

const TOKEN_CHARS = new Uint8Array(256);
for (const char of "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.!%*_+`'~") {
  TOKEN_CHARS[char.charCodeAt(0)] = 1;
}

/** The methods of the IANA registry: others mean nothing to us, unless an application knows them. */
export const METHODS: ReadonlySet<string> = new Set(
  'ACK BYE CANCEL INFO INVITE MESSAGE NOTIFY OPTIONS PRACK PUBLISH REFER REGISTER SUBSCRIBE UPDATE'.split(
    ' ',
  ),
);
