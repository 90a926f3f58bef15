/*
 * A SIP message in memory (RFC 3261 §7).
 *
 * Text of the head is held as latin1: one character per byte. So every byte of a header, whatever its encoding, leaves
 * as it came, and nothing is decoded that nobody reads. Bodies stay bytes.
 */

export type Header = {
  /** Long form, lower case: what lookups use. */
  readonly key: string;
  /** As written by the sender. */
  readonly name: string;
  /** Without outer white space; folding undone. */
  readonly value: string;
};

export type SipRequest = {
  readonly kind: 'request';
  readonly method: string;
  readonly uri: string;
  readonly headers: readonly Header[];
  readonly body: Buffer;
};

export type SipResponse = {
  readonly kind: 'response';
  readonly status: number;
  readonly reason: string;
  readonly headers: readonly Header[];
  readonly body: Buffer;
};

export type SipMessage = SipRequest | SipResponse;

export const NO_BODY: Buffer = Buffer.alloc(0);

/** Value of the first header of this name (key: long form, lower case), or undefined. */
export function header(message: SipMessage, key: string): string | undefined {
  for (const each of message.headers) {
    if (each.key === key) return each.value;
  }
  return undefined;
}

/** Values of every header of this name, in order; comma lists are not split. */
export function headers(message: SipMessage, key: string): string[] {
  const values: string[] = [];
  for (const each of message.headers) {
    if (each.key === key) values.push(each.value);
  }
  return values;
}

/** The same headers with the first of this name given a new value. */
export function replaceFirst(list: readonly Header[], key: string, value: string): Header[] {
  const at = list.findIndex((each) => each.key === key);
  return at === -1 ? [...list] : list.with(at, { ...(list[at] as Header), value });
}

/** A header of our own, spelt as the RFCs do. */
export function makeHeader(name: string, value: string): Header {
  return { key: name.toLowerCase(), name, value };
}
