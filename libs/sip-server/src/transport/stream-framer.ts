import { MAX_MESSAGE_BYTES, contentLength } from '../message/parse.ts';
import { headerKey } from '../message/names.ts';
import { ByteQueue } from './byte-queue.ts';

/** What a stream holds next. After `broken` nothing more can be framed; `head` is what could be read of the message. */
export type StreamItem =
  | { readonly type: 'message'; readonly bytes: Buffer }
  | { readonly type: 'keepalive' }
  | { readonly type: 'broken'; readonly cause: BrokenCause; readonly head?: Buffer };

export type BrokenCause = 'oversize' | 'no-content-length' | 'content-length' | 'not-sip';

const CR = 13;
const LF = 10;
const HEAD_END = '\r\n\r\n';

/** Cuts a stream into SIP messages by Content-Length (RFC 3261 §18.3) and keep-alives (double CRLF, RFC 5626 §4.4.1). */
export class StreamFramer {
  readonly #queue = new ByteQueue();
  /** Where the search for the end of the head goes on, so that a slow sender costs linear time. */
  #searched = 0;
  #bodyStart = 0;
  #messageEnd = 0;
  #broken = false;

  /** True while part of a message has arrived and the rest has not. */
  get midMessage(): boolean {
    return this.#queue.length > 0;
  }

  /** Takes bytes off the wire; gives what they complete. */
  push(chunk: Buffer): StreamItem[] {
    const items: StreamItem[] = [];
    if (this.#broken) return items;
    this.#queue.append(chunk);
    for (let item = this.#next(); item !== undefined; item = this.#next()) {
      items.push(item);
      if (item.type === 'broken') {
        this.#broken = true;
        break;
      }
    }
    return items;
  }

  #next(): StreamItem | undefined {
    if (this.#bodyStart === 0) {
      const between = this.#betweenMessages();
      if (between !== undefined) return between;
      const failure = this.#readHead();
      if (failure !== undefined) return failure;
    }
    if (this.#bodyStart === 0 || this.#queue.length < this.#messageEnd) return undefined;
    const bytes = this.#queue.take(this.#messageEnd);
    this.#bodyStart = this.#messageEnd = this.#searched = 0;
    return { type: 'message', bytes };
  }

  /** CRLF CRLF before a start line is a keep-alive; a single CRLF is skipped once a start line follows (§7.5). */
  #betweenMessages(): StreamItem | undefined {
    const bytes = this.#queue.bytes;
    if (bytes[0] !== CR || bytes[1] !== LF) return undefined;
    if (bytes.length === 2 || (bytes.length === 3 && bytes[2] === CR)) return undefined;
    const double = bytes[2] === CR && bytes[3] === LF;
    this.#queue.skip(double ? 4 : 2);
    this.#searched = 0;
    return double ? { type: 'keepalive' } : this.#betweenMessages();
  }

  #readHead(): StreamItem | undefined {
    const bytes = this.#queue.bytes;
    if (bytes.length > 0 && !startsLikeSip(bytes)) return { type: 'broken', cause: 'not-sip' };
    const end = bytes.indexOf(HEAD_END, Math.max(0, this.#searched - 3), 'latin1');
    this.#searched = bytes.length;
    if (end === -1) {
      return bytes.length > MAX_MESSAGE_BYTES ? { type: 'broken', cause: 'oversize' } : undefined;
    }
    const bodyStart = end + HEAD_END.length;
    const length = declaredLength(bytes.toString('latin1', 0, end));
    if (typeof length === 'string') {
      return { type: 'broken', cause: length, head: Buffer.from(bytes.subarray(0, bodyStart)) };
    }
    if (bodyStart + length > MAX_MESSAGE_BYTES) {
      return { type: 'broken', cause: 'oversize', head: Buffer.from(bytes.subarray(0, bodyStart)) };
    }
    this.#bodyStart = bodyStart;
    this.#messageEnd = bodyStart + length;
    return undefined;
  }
}

/** Start lines begin with a token (a method, or `SIP`): anything else can be dropped at its first byte. */
function startsLikeSip(bytes: Buffer): boolean {
  const first = bytes[0] ?? 0;
  return (first > 32 && first < 127) || first === CR;
}

function declaredLength(head: string): number | 'no-content-length' | 'content-length' {
  for (let at = head.indexOf('\r\n'); at !== -1; at = head.indexOf('\r\n', at + 2)) {
    const first = head.charCodeAt(at + 2) | 32;
    if (first !== 99 && first !== 108) continue; // 'c' and 'l': Content-Length and its compact form
    const colon = head.indexOf(':', at);
    if (colon === -1 || headerKey(head.slice(at + 2, colon).trim()) !== 'content-length') continue;
    const end = head.indexOf('\r\n', colon);
    return contentLength(head.slice(colon + 1, end === -1 ? undefined : end).trim()) ?? 'content-length';
  }
  return 'no-content-length';
}
