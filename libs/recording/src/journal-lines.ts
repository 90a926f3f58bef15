import { crc32 } from 'node:zlib';
import type { RawEvent } from '@reelstream/events';
import { findFlippedBit } from './flipped-bit.ts';

/**
 * One line of a journal: `<crc32 of the JSON, 8 hex digits> <JSON>\n`.
 *
 * - `event`: a fact, as it goes to the stream.
 * - `note`: what the home needs to go on after a crash and nobody else (its ports, its keys encrypted, rollover
 *   counters). The last note of a name counts; null takes it away.
 */
export type JournalLine =
  | { readonly kind: 'event'; readonly event: RawEvent }
  | { readonly kind: 'note'; readonly name: string; readonly value: unknown };

/** A stretch of a journal that holds no whole line. */
export type JournalDamage = { readonly atByte: number; readonly bytes: number };

export type JournalContents = {
  readonly events: readonly RawEvent[];
  readonly notes: Readonly<Record<string, unknown>>;
  /** Highest version that is known to have been given, whether its event can be read or not; 0 where none. */
  readonly lastVersion: number;
  /** Unreadable stretches before whole lines, damaged line feeds behind them, and bytes with a bit that was read turned back. They stay where they are. */
  readonly damage: readonly JournalDamage[];
  /** The torn tail, if any: it is cut off when the journal is opened. */
  readonly tail: JournalDamage | undefined;
};

const newline = 0x0a;
const crcDigits = 8;
const blank = 0x20;
/** Behind the checksum. */
const lineBegin = Buffer.from(' {"kind":"');

const hex = (crc: number): string => crc.toString(16).padStart(crcDigits, '0');

export const formatLine = (line: JournalLine): Buffer => {
  const json = Buffer.from(JSON.stringify(line));

  return Buffer.concat([Buffer.from(`${hex(crc32(json))} `), json, Buffer.of(newline)]);
};

/** A whole journal of what was read from one, but for what could not be read: notes, and events as they stand. */
export const formatJournal = ({ events, notes }: Pick<JournalContents, 'events' | 'notes'>): Buffer => {
  const lines: readonly JournalLine[] = [
    ...Object.entries(notes).map(([name, value]) => ({ kind: 'note', name, value }) as const),
    ...events.map((event) => ({ kind: 'event', event }) as const),
  ];

  return Buffer.concat(lines.map(formatLine));
};

/** Events of a journal with others, each in place of whatever was there of its version, in the order of versions. */
export const withEvents = (before: readonly RawEvent[], events: readonly RawEvent[]): RawEvent[] => {
  const byVersion = new Map([...before, ...events].map((event) => [event.version, event]));

  return [...byVersion.values()].toSorted((a, b) => a.version - b.version);
};

/** Puts a note in the place of the last of its name. */
export const takeNote = (
  notes: Record<string, unknown>,
  { name, value }: Pick<Extract<JournalLine, { kind: 'note' }>, 'name' | 'value'>,
): void => {
  if (value === null) delete notes[name];
  else notes[name] = value;
};

const parseJson = (bytes: Uint8Array): unknown => {
  try {
    return JSON.parse(Buffer.from(bytes).toString());
  } catch {
    return undefined;
  }
};

const isLine = (value: unknown): value is JournalLine => {
  if (typeof value !== 'object' || value === null || !('kind' in value)) return false;
  const line = value as Partial<Record<string, unknown>>;
  if (line['kind'] === 'note') return typeof line['name'] === 'string';
  const event = line['event'];

  return (
    line['kind'] === 'event' &&
    typeof event === 'object' &&
    event !== null &&
    Number.isSafeInteger((event as Partial<RawEvent>).version)
  );
};

/** The line in `bytes` (without its line feed), or undefined where its checksum or shape is wrong. */
export const parseLine = (bytes: Uint8Array): JournalLine | undefined => {
  if (bytes.length <= crcDigits + 1 || bytes[crcDigits] !== blank) return undefined;
  const json = bytes.subarray(crcDigits + 1);
  if (Buffer.from(bytes.buffer, bytes.byteOffset, crcDigits).toString('latin1') !== hex(crc32(json)))
    return undefined;
  const value = parseJson(json);

  return isLine(value) ? value : undefined;
};

type Found = {
  readonly line: JournalLine;
  readonly from: number;
  readonly to: number;
  /** Where a bit of it was flipped. */
  readonly flippedAt?: number;
};

const bitsOf = (byte: number): number => byte.toString(2).replaceAll('0', '').length;

/** The line in `bytes` (without its line feed), one bit of which was flipped; undefined where that isn't all. */
const parseFlipped = (bytes: Buffer): { readonly line: JournalLine; readonly at: number } | undefined => {
  const json = bytes.subarray(crcDigits + 1);
  const head = Buffer.from(`${hex(crc32(json))} `);
  const wrong = [...head.keys()].filter((at) => bytes[at] !== head[at]);
  const [first] = wrong;
  const isInHead = first !== undefined && wrong.length === 1 && bitsOf(bytes[first]! ^ head[first]!) === 1;
  const written = bytes.toString('latin1', 0, crcDigits);
  if (!isInHead && !/^[0-9a-f]{8}$/.test(written)) return undefined;
  const flipped = isInHead ? undefined : findFlippedBit(json, Number.parseInt(written, 16));
  if (!isInHead && !flipped) return undefined;
  const mended = Buffer.from(json);
  if (flipped) mended[flipped.at] = mended[flipped.at]! ^ flipped.mask;
  const value = parseJson(mended);

  return isLine(value) ? { line: value, at: flipped ? crcDigits + 1 + flipped.at : first! } : undefined;
};

/** The same of what lies between two line feeds; the first that follows may itself be what a flipped bit has made. */
const flippedBetween = (bytes: Buffer, from: number, lineFeed: number): readonly Found[] => {
  for (const to of [lineFeed, bytes.indexOf(newline, lineFeed + 1)]) {
    const found = to < 0 ? undefined : parseFlipped(bytes.subarray(from, to));
    if (found) return [{ line: found.line, from, to: to + 1, flippedAt: from + found.at }];
  }

  return [];
};

/**
 * The whole lines between two line feeds: one, or more where the line feeds between them are damaged. `to` is where the next line
 * may begin. JSON can't hold what every line begins with, so nothing that a caller sent passes for one.
 */
const linesBetween = (bytes: Buffer, from: number, lineFeed: number | undefined): readonly Found[] => {
  const to = lineFeed ?? bytes.length;
  const line = lineFeed === undefined ? undefined : parseLine(bytes.subarray(from, to));
  if (line) return [{ line, from, to: to + 1 }];
  const begins: number[] = [];
  for (let at = bytes.indexOf(lineBegin, from); at >= 0 && at < to; at = bytes.indexOf(lineBegin, at + 1))
    if (at - crcDigits >= from) begins.push(at - crcDigits);

  const parted = begins.flatMap((begin, place) => {
    // What stands in the place of the line feed belongs to neither line.
    const end = begins[place + 1] ?? (lineFeed === undefined ? to : to + 1);
    const whole = parseLine(bytes.subarray(begin, end - 1));

    return whole ? [{ line: whole, from: begin, to: end }] : [];
  });

  return parted.length > 0 || lineFeed === undefined ? parted : flippedBetween(bytes, from, lineFeed);
};

/** Reads a journal's bytes. Never throws: what isn't a whole line is named in `damage` and `tail`. */
export const parseJournal = (from: Uint8Array): JournalContents => {
  const bytes = Buffer.from(from.buffer, from.byteOffset, from.byteLength);
  const events: RawEvent[] = [];
  const notes: Record<string, unknown> = {};
  const damage: JournalDamage[] = [];
  let lastVersion = 0;
  let wholeUntil = 0;
  const take = ({ line, from: begin, to, flippedAt }: Found): void => {
    if (begin > wholeUntil) damage.push({ atByte: wholeUntil, bytes: begin - wholeUntil });
    if (flippedAt !== undefined) damage.push({ atByte: flippedAt, bytes: 1 });
    if (line.kind === 'event') {
      events.push(line.event);
      lastVersion = Math.max(lastVersion, line.event.version);
    } else takeNote(notes, line);
    wholeUntil = to;
    if (bytes[to - 1] !== newline) damage.push({ atByte: to - 1, bytes: 1 });
  };
  for (let start = 0; start < bytes.length;) {
    const found = bytes.indexOf(newline, start);
    for (const line of linesBetween(bytes, start, found < 0 ? undefined : found)) take(line);
    start = Math.max(found < 0 ? bytes.length : found + 1, wholeUntil);
  }
  const tail =
    wholeUntil < bytes.length ? { atByte: wholeUntil, bytes: bytes.length - wholeUntil } : undefined;

  return { events, notes, lastVersion, damage, tail };
};
