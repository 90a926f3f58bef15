import { parseNameAddr } from './name-addr.ts';

/** Targets of one 3xx that are looked at. */
const mostTargets = 10;

/** The addresses of a list, parted by the commas that stand outside of quotes and angle brackets. */
const addressesOf = (list: string): readonly string[] =>
  list.match(/(?:"(?:[^"\\]|\\.)*"|<[^>]*>|[^,"<])+/g) ?? [];

/** The SIP URIs that the Contact of a 3xx names, best first (RFC 3261 §8.1.3.4); those of equal q in order. Never throws. */
export const redirectTargets = (contact: string): readonly string[] =>
  addressesOf(contact)
    .slice(0, mostTargets)
    .map(parseNameAddr)
    .filter(({ uri }) => /^sips?:[^\s<>"]+$/i.test(uri))
    .map(({ uri, parameters: { q = '1' } }) => ({ uri, q: /^[01](\.\d{0,3})?$/.test(q) ? Number(q) : 0 }))
    .toSorted((a, b) => b.q - a.q)
    .map(({ uri }) => uri);
