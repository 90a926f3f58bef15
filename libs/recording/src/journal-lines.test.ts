import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RawEvent } from '@reelstream/events';
import { eventOf } from './event.fixture.ts';
import { formatLine, parseJournal } from './journal-lines.ts';
import type { JournalLine } from './journal-lines.ts';

const event = (version: number): RawEvent =>
  eventOf(version, {
    id: `019abcde-0000-7000-8000-00000000000${version}`,
    data: { text: 'Zoë said "hello"\n' },
  });

const lines: readonly JournalLine[] = [
  { kind: 'event', event: event(1) },
  { kind: 'note', name: 'ports', value: { 0: 16_384 } },
  { kind: 'event', event: event(2) },
  { kind: 'note', name: 'codecs', value: ['PCMU'] },
  { kind: 'event', event: event(3) },
];
const encoded = lines.map(formatLine);
const journal = Buffer.concat(encoded);
/** Where each line ends. */
const ends = encoded.map((_, i) => Buffer.concat(encoded.slice(0, i + 1)).length);

test('a journal reads back as it was written', () => {
  const read = parseJournal(journal);
  assert.deepEqual(read.events, [event(1), event(2), event(3)]);
  assert.deepEqual(read.notes, { ports: { 0: 16_384 }, codecs: ['PCMU'] });
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

test('a flipped bit costs nothing, and is told', () => {
  const whole = parseJournal(journal);
  for (let place = 0; place < journal.length * 8; place++) {
    const at = place >> 3;
    const flipped = Buffer.from(journal);
    flipped[at] = flipped[at]! ^ (1 << (place & 7));
    const { damage, tail, ...read } = parseJournal(flipped);
    const { damage: _none, tail: _neither, ...wanted } = whole;
    // The very last line feed is not missed, as long as nothing stands in its place.
    assert.deepEqual(read, wanted, `flip ${place & 7} at ${at}`);
    assert.ok(damage.length > 0 || tail, `flip at ${at} is told`);
  }
});

test('two bits of a line that were flipped cost that line, and never invent one', () => {
  const known = new Set([1, 2, 3].map((version) => JSON.stringify(event(version))));
  for (let at = 0; at < journal.length - 1; at++) {
    const flipped = Buffer.from(journal);
    flipped[at] = flipped[at]! ^ 1;
    flipped[at + 1] = flipped[at + 1]! ^ 0x10;
    const read = parseJournal(flipped);
    const hit = [at, at + 1].map((place) => lines[ends.findIndex((end) => place < end)]);
    const lost = hit.flatMap((line) => (line?.kind === 'event' ? [line.event.version] : []));
    const versions = read.events.map(({ version }) => version);
    for (const version of [1, 2, 3])
      assert.ok(versions.includes(version) || lost.includes(version), `${version} after flips at ${at}`);
    assert.ok(
      read.events.every((found) => known.has(JSON.stringify(found))),
      `flips at ${at}`,
    );
    assert.ok(read.damage.length > 0 || read.tail, `flips at ${at} are told`);
    if (!lost.includes(3)) assert.equal(read.lastVersion, 3, 'a version is not given twice');
  }
});

test('zeros from any byte on, as after a loss of power, cost the lines they lie on', () => {
  for (let from = 0; from < journal.length; from++) {
    const read = parseJournal(Buffer.concat([journal.subarray(0, from), Buffer.alloc(4_096)]));
    const kept = lines.slice(0, ends.filter((end) => end <= from).length);
    assert.deepEqual(
      read.events,
      kept.flatMap((line) => (line.kind === 'event' ? [line.event] : [])),
      `zeros from ${from}`,
    );
    assert.ok(read.tail, `zeros from ${from} are told`);
  }
});

test('a journal whose last line feed is damaged is written on, and loses nothing', () => {
  const damaged = Buffer.from(journal);
  damaged[damaged.length - 1] = 0x1a;
  const before = parseJournal(damaged);
  assert.equal(before.tail, undefined);
  const after = parseJournal(Buffer.concat([damaged, formatLine({ kind: 'event', event: event(4) })]));
  assert.deepEqual(
    after.events.map(({ version }) => version),
    [1, 2, 3, 4],
  );
  assert.deepEqual(after.damage, [{ atByte: journal.length - 1, bytes: 1 }]);
});

test('what a caller sends can never pass for a line', () => {
  const image = formatLine({ kind: 'event', event: event(7) }).toString();
  const hostile = { ...event(1), data: { text: image } };
  const line = formatLine({ kind: 'event', event: hostile });
  for (const at of line.keys()) {
    const flipped = Buffer.from(line);
    flipped[at] = flipped[at]! ^ 1;
    const { events } = parseJournal(flipped);
    assert.ok(
      events.every(({ version }) => version === 1),
      `flip at ${at}`,
    );
  }
});
