/**
 * Head and body of a SIP request, RFC 3261 §7. The server has checked and framed it already; what is read here again is
 * what drachtio-srf's own parser loses: compact names it doesn't know, and bodies with blank lines in them.
 */
export type MessageText = {
  /** By lower-case long name; values of one name in order of appearance. */
  readonly headers: ReadonlyMap<string, readonly string[]>;
  readonly body: string;
};

/** Compact forms, RFC 3261 §7.3.3 and IANA's registry. */
const longNames: Readonly<Record<string, string>> = {
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

/** The one name of a header: lower case, long form. */
export const headerName = (name: string): string => {
  const lower = name.toLowerCase();

  return longNames[lower] ?? lower;
};

const endOfHead = '\r\n\r\n';

/** Reads the headers (folded lines unfolded) and the body (cut at Content-Length bytes) of a message's text. */
export const readMessage = (text: string): MessageText => {
  const end = text.indexOf(endOfHead);
  const head = end < 0 ? text : text.slice(0, end);
  const headers = new Map<string, string[]>();
  const lines = head.replace(/\r\n[ \t]+/g, ' ').split('\r\n');
  for (const line of lines.slice(1)) {
    const colon = line.indexOf(':');
    if (colon < 1) continue;
    const name = headerName(line.slice(0, colon).trim());
    const values = headers.get(name);
    const value = line.slice(colon + 1).trim();
    if (values) values.push(value);
    else headers.set(name, [value]);
  }

  return { headers, body: end < 0 ? '' : bodyOf(text.slice(end + endOfHead.length), headers) };
};

const bodyOf = (rest: string, headers: ReadonlyMap<string, readonly string[]>): string => {
  const announced = headers.get('content-length')?.[0];
  if (announced === undefined || !/^\d+$/.test(announced)) return rest;
  const bytes = Number(announced);

  return bytes >= Buffer.byteLength(rest) ? rest : Buffer.from(rest).subarray(0, bytes).toString();
};
