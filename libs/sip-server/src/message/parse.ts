import type { Header, SipMessage } from './message.ts';
import { NO_BODY, header, headers } from './message.ts';
import { headerKey, isToken } from './names.ts';

/** Why bytes are not a SIP message; `message` is what could be read of them, where that was the whole head. */
export type ParseFailure = { readonly ok: false; readonly cause: ParseCause; readonly message?: SipMessage };
export type ParseResult = { readonly ok: true; readonly message: SipMessage } | ParseFailure;

export type ParseCause =
  | 'empty'
  | 'oversize'
  | 'head-end'
  | 'start-line'
  | 'version'
  | 'header'
  | 'header-count'
  | 'content-length';

/** Largest message we take, head and body, on any transport. */
export const MAX_MESSAGE_BYTES = 65_536;
const MAX_HEADERS = 256;
const SPACE = 32;
const TAB = 9;
const CR = 13;
const LF = 10;

/** A message whose Content-Length is not to be trusted: the body is all that follows the head. */
export function parseToEnd(bytes: Buffer): ParseResult {
  return parse(bytes, (message, rest) => ({ ok: true, message: { ...message, body: rest } }));
}

/**
 * Reads one message from a datagram or a frame (RFC 3261 §7): start line, headers, body by Content-Length, or to the
 * end where there is none. Never throws. Bytes after the body are dropped (§18.3). The body is a view of `bytes`.
 */
export function parseMessage(bytes: Buffer): ParseResult {
  return parse(bytes, withBody);
}

function parse(bytes: Buffer, addBody: (message: SipMessage, rest: Buffer) => ParseResult): ParseResult {
  let start = 0;
  while (start < bytes.length && (bytes[start] === CR || bytes[start] === LF)) start++;
  if (start === bytes.length) return { ok: false, cause: 'empty' };
  if (bytes.length - start > MAX_MESSAGE_BYTES) return { ok: false, cause: 'oversize' };
  const end = bytes.indexOf('\r\n\r\n', start, 'latin1');
  if (end === -1) return unended(bytes, start);
  const head = parseHead(bytes.toString('latin1', start, end));
  return head.ok ? addBody(head.message, bytes.subarray(end + 4)) : head;
}

/** A head without its empty line, cut between lines: enough may be there to address a refusal. */
function unended(bytes: Buffer, start: number): ParseResult {
  const isWhole = bytes.length - start > 2 && bytes.toString('latin1', bytes.length - 2) === '\r\n';
  const head = isWhole ? parseHead(bytes.toString('latin1', start, bytes.length - 2)) : undefined;
  return { ok: false, cause: 'head-end', ...(head?.message === undefined ? {} : { message: head.message }) };
}

/** A lone CR or LF could be read as a line end by the next reader, and smuggle in a header. */
const LONE_LINE_BREAK = /\r(?!\n)|(?<!\r)\n/;

function parseHead(text: string): ParseResult {
  const lineEnd = text.indexOf('\r\n');
  const startLine = lineEnd === -1 ? text : text.slice(0, lineEnd);
  const list: Header[] = [];
  const unread = lineEnd === -1 ? undefined : readHeaders(text, lineEnd + 2, list);
  const bad = unread ?? (LONE_LINE_BREAK.test(text) ? 'header' : undefined);
  const parsed = startLine.startsWith('SIP/')
    ? parseStatusLine(startLine, list)
    : parseRequestLine(startLine, list);
  if (!parsed.ok || bad === undefined) return parsed;
  return { ok: false, cause: bad, message: parsed.message };
}

/** Reads header lines into `list`, going on after a bad one so that a refusal can be addressed. */
function readHeaders(text: string, from: number, list: Header[]): ParseCause | undefined {
  let bad: ParseCause | undefined;
  for (let at = from; at <= text.length;) {
    let end = text.indexOf('\r\n', at);
    if (end === -1) end = text.length;
    const next = end + 2;
    const line = text.slice(at, end);
    at = next;
    const first = line.charCodeAt(0);
    if (first === SPACE || first === TAB) {
      if (!fold(list, line)) bad ??= 'header';
      continue;
    }
    if (list.length === MAX_HEADERS) return 'header-count';
    const header = parseHeaderLine(line);
    if (header === undefined) bad ??= 'header';
    else list.push(header);
  }
  return bad;
}

function parseHeaderLine(line: string): Header | undefined {
  const colon = line.indexOf(':');
  if (colon < 1) return undefined;
  const name = line.slice(0, colon).trimEnd();
  if (!isToken(name)) return undefined;
  return { key: headerKey(name), name, value: line.slice(colon + 1).trim() };
}

function fold(list: Header[], line: string): boolean {
  const last = list.pop();
  if (last === undefined) return false;
  const more = line.trim();
  list.push({ ...last, value: last.value && more ? `${last.value} ${more}` : last.value + more });
  return true;
}

function parseRequestLine(text: string, list: readonly Header[]): ParseResult {
  const line = text.trimEnd();
  const first = line.indexOf(' ');
  const last = line.lastIndexOf(' ');
  const method = line.slice(0, first);
  const uri = line.slice(first + 1, last);
  if (first < 1 || last <= first || !isToken(method)) return { ok: false, cause: 'start-line' };
  const message = { kind: 'request', method, uri, headers: list, body: NO_BODY } as const;
  const version = line.slice(last + 1).toUpperCase();
  if (version !== 'SIP/2.0') {
    return version.startsWith('SIP/')
      ? { ok: false, cause: 'version', message }
      : { ok: false, cause: 'start-line' };
  }
  if (line !== text || uri.length === 0 || uri.includes(' ') || uri.includes('<')) {
    return { ok: false, cause: 'start-line', message };
  }
  return { ok: true, message };
}

function parseStatusLine(line: string, list: readonly Header[]): ParseResult {
  const status = Number(line.slice(8, 11));
  const wellFormed = /^SIP\/2\.0 [1-6]\d\d( |$)/i.test(line);
  if (!wellFormed) return { ok: false, cause: 'start-line' };
  return {
    ok: true,
    message: { kind: 'response', status, reason: line.slice(12), headers: list, body: NO_BODY },
  };
}

function withBody(message: SipMessage, rest: Buffer): ParseResult {
  const declared = header(message, 'content-length');
  if (declared === undefined) return { ok: true, message: { ...message, body: rest } };
  const length = contentLength(declared);
  const contradicted = headers(message, 'content-length').some((value) => contentLength(value) !== length);
  if (length !== undefined && length > MAX_MESSAGE_BYTES) return { ok: false, cause: 'oversize', message };
  if (length === undefined || contradicted || length > rest.length) {
    return { ok: false, cause: 'content-length', message };
  }
  return { ok: true, message: { ...message, body: rest.subarray(0, length) } };
}

/** Content-Length as a number of bytes, or undefined where it isn't one. */
export function contentLength(value: string): number | undefined {
  if (value.length === 0 || value.length > 9) return undefined;
  for (let at = 0; at < value.length; at++) {
    const digit = value.charCodeAt(at) - 48;
    if (digit < 0 || digit > 9) return undefined;
  }
  return Number(value);
}
