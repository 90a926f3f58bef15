import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RawEvent } from '@reelstream/events';
import { formatLine, parseJournal } from './journal-lines.ts';
import type { JournalLine } from './journal-lines.ts';

const event = (version: number): RawEvent => ({
  specversion: '1.0',
  id: `019abcde-0000-7000-8000-00000000000${version}`,
  type: 'session.updated',
  source: '/local/capture-1',
  subject: '019abcde-0000-7000-8000-000000000000',
  time: '2025-11-25T00:00:00.000Z',
  origin: 'primary',
  version,
  epoch: 1,
  schema: 1,
  data: { text: 'Zoë said "hello"\n' },
});

const lines: readonly JournalLine[] = [
  { kind: 'event', event: event(1) },
  { kind: 'note', name: 'ports', value: { 0: 16_384 } },
  { kind: 'event', event: event(2) },
  { kind: 'released', version: 1 },
  { kind: 'event', event: event(3) },
];
const encoded = lines.map(formatLine);
const journal = Buffer.concat(encoded);
/** Where each line ends. */
const ends = encoded.map((_, i) => Buffer.concat(encoded.slice(0, i + 1)).length);

test('a journal reads back as it was written', () => {
  const read = parseJournal(journal);
  assert.deepEqual(read.events, [event(1), event(2), event(3)]);
  assert.deepEqual(read.notes, { ports: { 0: 16_384 } });
  assert.equal(read.releasedVersion, 1);
  assert.equal(read.lastVersion, 3);
  assert.deepEqual([read.damage, read.tail], [[], undefined]);
});

test('a journal cut at any byte keeps every whole line and names the rest as its tail', () => {
  for (let cut = 0; cut <= journal.length; cut++) {
    const read = parseJournal(journal.subarray(0, cut));
    const whole = ends.filter((end) => end <= cut);
    const kept = lines.slice(0, whole.length);
    assert.deepEqual(
      read.events,
      kept.flatMap((line) => (line.kind === 'event' ? [line.event] : [])),
    );
    const wholeUntil = whole.at(-1) ?? 0;
    assert.deepEqual(
      read.tail,
      cut > wholeUntil ? { atByte: wholeUntil, bytes: cut - wholeUntil } : undefined,
      `cut at ${cut}`,
    );
    assert.deepEqual(read.damage, []);
  }
});

test('a flipped bit costs the lines it touches and never invents one', () => {
  const known = new Set([1, 2, 3].map((version) => JSON.stringify(event(version))));
  for (let at = 0; at < journal.length; at++) {
    const flipped = Buffer.from(journal);
    flipped[at] = flipped[at]! ^ (1 << (at % 8));
    const read = parseJournal(flipped);
    assert.ok(
      read.events.every((found) => known.has(JSON.stringify(found))),
      `flip at ${at}`,
    );
    assert.ok(read.events.length >= 2, `flip at ${at}`);
    assert.ok(read.damage.length > 0 || read.tail, `flip at ${at} is told`);
    // A lost line feed joins two lines; before that of the last but one, the last is untouched.
    if (at < ends.at(-2)! - 1) assert.equal(read.lastVersion, 3, 'a version is not given twice');
  }
});
