import { parseNameAddress } from '../message/address.ts';
import type { SipResponse } from '../message/message.ts';
import { headers } from '../message/message.ts';
import { splitOutside } from '../message/params.ts';

/** No request goes to more places than this, however many are named (RFC 5393 §5.3). */
const MAX_TARGETS = 60;

/** Where a request goes: groups of URIs, one group after the other; those of a group at once. */
export class ProxyTargets {
  readonly #groups: (readonly string[])[] = [];
  readonly #known = new Set<string>();

  /** Puts groups before those that wait, leaving out what was there before (RFC 3261 §16.5): true if any is new. */
  addFirst(groups: readonly (readonly string[])[]): boolean {
    const fresh = groups
      .map((group) => group.filter((uri) => this.#isNew(uri)))
      .filter(({ length }) => length > 0);
    this.#groups.unshift(...fresh);
    return fresh.length > 0;
  }

  next(): readonly string[] | undefined {
    return this.#groups.shift();
  }

  clear(): void {
    this.#groups.length = 0;
  }

  #isNew(uri: string): boolean {
    if (this.#known.has(uri) || this.#known.size >= MAX_TARGETS) return false;
    this.#known.add(uri);
    return true;
  }
}

/** The Contacts of a redirect, highest q first (§20.10); those of one q form a group where `atOnce`. */
export function redirectGroups(response: SipResponse, atOnce: boolean): string[][] {
  const byQ = new Map<number, string[]>();
  for (const value of headers(response, 'contact').flatMap((each) => splitOutside(each, ','))) {
    const contact = parseNameAddress(value);
    if (contact === undefined || !/^sips?:/i.test(contact.uri)) continue;
    const q = Number(contact.params.get('q') ?? 1);
    byQ.set(q, [...(byQ.get(q) ?? []), contact.uri]);
  }
  const groups = [...byQ].toSorted(([a], [b]) => b - a).map(([, uris]) => uris);
  return atOnce ? groups : groups.flat().map((uri) => [uri]);
}
