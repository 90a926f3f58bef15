import { createHash } from 'node:crypto';
import type { RawEvent } from './envelope.ts';
import { understand } from './upcast.ts';

/** Of text, what every place that keeps events can hold: PostgreSQL takes neither NUL nor halves of surrogate pairs. */
const keepable = (text: string): string => text.toWellFormed().replaceAll('\0', '\u{FFFD}');

/** JSON in one form only: names in order, at every depth, and without blanks. */
const canonical = (value: unknown): string => {
  if (typeof value === 'string') return JSON.stringify(keepable(value));
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  const members = Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .map(([name, member]) => `${JSON.stringify(keepable(name))}:${canonical(member)}`);

  return `{${members.toSorted().join(',')}}`;
};

/**
 * SHA-256 over all that an event says, in base64url: the same wherever it is kept, also where that puts its members into another
 * order, or where a later release said it again by a later schema.
 */
export const digestOf = (raw: RawEvent): string => {
  const understood = understand(raw);
  const said = understood.status === 'known' ? understood.event : raw;

  return createHash('sha256').update(canonical(said)).digest('base64url');
};
