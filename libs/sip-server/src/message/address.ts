import { Lately } from './lately.ts';
import type { Params } from './params.ts';
import { parseParams, splitOutside } from './params.ts';

/** A From, To, Contact, Route or Record-Route value (RFC 3261 §20.10): the URI and the parameters after it. */
export type NameAddress = { readonly uri: string; readonly params: Params };

/** Reads a name-addr or addr-spec; undefined where brackets or quotes don't close. `*` reads as a URI of its own. */
export function parseNameAddress(value: string): NameAddress | undefined {
  return addresses.of(value);
}

const addresses = new Lately(readNameAddress);

function readNameAddress(value: string): NameAddress | undefined {
  const open = openBracket(value);
  if (open === undefined) return undefined;
  if (open === -1) {
    // Without brackets, parameters belong to the header, not to the URI (§20).
    const semicolon = value.indexOf(';');
    const uri = (semicolon === -1 ? value : value.slice(0, semicolon)).trim();
    return uri.length === 0
      ? undefined
      : { uri, params: parseParams(semicolon === -1 ? '' : value.slice(semicolon)) };
  }
  const close = value.indexOf('>', open);
  if (close === -1) return undefined;
  return { uri: value.slice(open + 1, close).trim(), params: parseParams(value.slice(close + 1)) };
}

/** Index of the `<` after an optional display name, -1 where there is none, undefined for an unclosed quote. */
function openBracket(value: string): number | undefined {
  let at = 0;
  while (value[at] === ' ' || value[at] === '\t') at++;
  if (value[at] !== '"') return value.indexOf('<');
  for (at++; at < value.length; at++) {
    if (value[at] === '\\') at++;
    else if (value[at] === '"') return value.indexOf('<', at);
  }
  return undefined;
}

/** The first address of a comma list. */
export function firstAddress(value: string | undefined): NameAddress | undefined {
  if (value === undefined) return undefined;
  return parseNameAddress(splitOutside(value, ',')[0] ?? '');
}

/** The tag of a From or To value, or undefined. */
export function tagOf(value: string | undefined): string | undefined {
  if (value === undefined) return undefined;
  const tag = parseNameAddress(value)?.params.get('tag');
  return tag === '' ? undefined : tag;
}
