/** Parameters of a header or URI: names in lower case; '' for one without a value. Insertion order is kept. */
export type Params = ReadonlyMap<string, string>;

/**
 * Splits at a separator that stands outside quoted strings and angle brackets, trimming the pieces.
 * Used for comma lists of headers (RFC 3261 §7.3.1) and semicolon lists of parameters.
 */
export function splitOutside(text: string, separator: string): string[] {
  if (!text.includes(separator)) return [text.trim()];
  const pieces: string[] = [];
  let quoted = false;
  let angle = false;
  let from = 0;
  for (let at = 0; at < text.length; at++) {
    const char = text[at];
    if (quoted) {
      if (char === '\\') at++;
      else if (char === '"') quoted = false;
    } else if (char === '"') quoted = true;
    else if (char === '<') angle = true;
    else if (char === '>') angle = false;
    else if (char === separator && !angle) {
      pieces.push(text.slice(from, at).trim());
      from = at + 1;
    }
  }
  pieces.push(text.slice(from).trim());
  return pieces;
}

/** Reads `a=1;b;c="x"` (with or without a leading semicolon) into a map; empty pieces are skipped. */
export function parseParams(text: string): Params {
  const params = new Map<string, string>();
  if (text.length === 0) return params;
  for (const piece of splitOutside(text, ';')) {
    if (piece.length === 0) continue;
    const equals = piece.indexOf('=');
    if (equals === -1) params.set(piece.toLowerCase(), '');
    else params.set(piece.slice(0, equals).trim().toLowerCase(), piece.slice(equals + 1).trim());
  }
  return params;
}

/** `;name=value` for each parameter, `;name` where the value is empty. */
export function formatParams(params: Params): string {
  let text = '';
  for (const [name, value] of params) text += value === '' ? `;${name}` : `;${name}=${value}`;
  return text;
}
