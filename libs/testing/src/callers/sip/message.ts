/** SIP messages as lines on the wire (RFC 3261 §7), as little of it as a caller needs. */

export type Header = readonly [name: string, value: string];

export type SipRequest = {
  readonly method: string;
  readonly uri: string;
  readonly headers: readonly Header[];
  readonly body: string;
};

export type SipResponse = {
  readonly status: number;
  readonly reason: string;
  readonly headers: readonly Header[];
  readonly body: string;
};

export type SipMessage = SipRequest | SipResponse;

export const isResponse = (message: SipMessage): message is SipResponse => 'status' in message;

const compactNames: Readonly<Record<string, string>> = {
  i: 'call-id',
  m: 'contact',
  l: 'content-length',
  c: 'content-type',
  f: 'from',
  k: 'supported',
  t: 'to',
  v: 'via',
  x: 'session-expires',
};

const canonical = (name: string): string => compactNames[name.toLowerCase()] ?? name.toLowerCase();

/** All values of a header, in order; names compare without case, compact forms count. */
export const headerValues = (message: SipMessage, name: string): string[] =>
  message.headers.filter(([key]) => canonical(key) === canonical(name)).map(([, value]) => value);

export const headerValue = (message: SipMessage, name: string): string | undefined =>
  headerValues(message, name)[0];

const formatHead = (startLine: string, headers: readonly Header[], body: string): Buffer => {
  const lines = headers.map(([name, value]) => `${name}: ${value}`);

  return Buffer.from(
    [startLine, ...lines, `Content-Length: ${Buffer.byteLength(body)}`, '', body].join('\r\n'),
    'utf8',
  );
};

/** The bytes of a message; Content-Length is added here. */
export const formatMessage = (message: SipMessage): Buffer =>
  formatHead(
    isResponse(message)
      ? `SIP/2.0 ${message.status} ${message.reason}`
      : `${message.method} ${message.uri} SIP/2.0`,
    message.headers,
    message.body,
  );

const parseHeaders = (lines: readonly string[]): Header[] | undefined => {
  const headers: [string, string][] = [];
  for (const line of lines) {
    const last = headers.at(-1);
    if (/^[ \t]/.test(line) && last) {
      last[1] = `${last[1]} ${line.trim()}`;
      continue;
    }
    const colon = line.indexOf(':');
    if (colon <= 0) return undefined;
    headers.push([line.slice(0, colon).trim(), line.slice(colon + 1).trim()]);
  }

  return headers;
};

const headEnd = (bytes: Buffer): number => bytes.indexOf('\r\n\r\n');

/** Parses one whole message; undefined for anything else. */
export const parseMessage = (bytes: Buffer): SipMessage | undefined => {
  const end = headEnd(bytes);
  if (end < 0) return undefined;
  const [startLine = '', ...lines] = bytes.toString('utf8', 0, end).split('\r\n');
  const headers = parseHeaders(lines);
  if (!headers) return undefined;
  const body = bytes.toString('utf8', end + 4);

  const response = /^SIP\/2\.0 ([1-6]\d\d) ?(.*)$/.exec(startLine);
  if (response) return { status: Number(response[1]), reason: response[2] ?? '', headers, body };
  const request = /^([A-Z]+) (\S+) SIP\/2\.0$/.exec(startLine);

  return request ? { method: request[1] ?? '', uri: request[2] ?? '', headers, body } : undefined;
};

/** Length in bytes of the first message of a stream (RFC 3261 §18.3): `incomplete` until it is there. */
export const frameLength = (bytes: Buffer): number | 'incomplete' | 'broken' => {
  const end = headEnd(bytes);
  if (end < 0) return bytes.length > 65_536 ? 'broken' : 'incomplete';
  const length = /\r\n(?:content-length|l)[ \t]*:[ \t]*(\d{1,7})[ \t]*(?:\r\n|$)/i.exec(
    bytes.toString('latin1', 0, end),
  );
  if (!length) return 'broken';
  const total = end + 4 + Number(length[1]);

  return bytes.length < total ? 'incomplete' : total;
};
