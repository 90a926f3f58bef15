/** Escapes in JSON that PostgreSQL's jsonb refuses: NUL, and halves of surrogate pairs. */
const suspicious = /\\u0000|\\u[dD][89abcdefABCDEF]/;

const cleanText = (text: string): string => text.toWellFormed().replaceAll('\0', '\u{FFFD}');

const clean = (value: unknown): unknown => {
  if (typeof value === 'string') return cleanText(value);
  if (Array.isArray(value)) return value.map(clean);
  if (value === null || typeof value !== 'object') return value;

  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [cleanText(key), clean(inner)]));
};

/** JSON text that a jsonb column takes; what PostgreSQL can't hold becomes U+FFFD. */
export const toJson = (value: unknown): string => {
  const json = JSON.stringify(value);

  return suspicious.test(json) ? JSON.stringify(clean(value)) : json;
};

/** Text that a text column takes, likewise. */
export const toText = cleanText;
