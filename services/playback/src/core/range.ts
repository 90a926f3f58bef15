/** What part of a representation a request wants (RFC 9110 §14): all of it, one range of bytes, or nothing there is. */
export type ByteRange =
  | { readonly kind: 'whole' }
  | { readonly kind: 'part'; readonly first: number; readonly last: number }
  | { readonly kind: 'unsatisfiable' };

const whole: ByteRange = { kind: 'whole' };

/**
 * Reads a Range header against a size in bytes. Other units, several ranges and what breaks the grammar are ignored, as
 * RFC 9110 §14.2 allows: the whole is served then.
 */
export const parseRange = (header: string | undefined, size: number): ByteRange => {
  const match = /^bytes=\s*(\d{0,15})-(\d{0,15})\s*$/i.exec(header ?? '');
  if (!match) return whole;
  const [, from = '', to = ''] = match;
  if (from === '' && to === '') return whole;
  if (from === '') {
    const length = Math.min(Number(to), size);

    return length === 0 ? { kind: 'unsatisfiable' } : { kind: 'part', first: size - length, last: size - 1 };
  }
  const first = Number(from);
  if (to !== '' && Number(to) < first) return whole;
  if (first >= size) return { kind: 'unsatisfiable' };

  return { kind: 'part', first, last: to === '' ? size - 1 : Math.min(Number(to), size - 1) };
};

/** Whether a list of entity tags, or `*`, names this one; weak tags compare by what they quote (RFC 9110 §13.1.2). */
export const matchesTag = (header: string | undefined, etag: string): boolean =>
  header !== undefined &&
  header.split(',').some((tag) => {
    const text = tag.trim();

    return text === '*' || text.replace(/^W\//, '') === etag;
  });
