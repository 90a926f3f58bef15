import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readLines } from '../lines.ts';
import { otherEventText, rowText, sessionText } from './reconcile.ts';

test('a session that differs is told in one line: what is wrong, where, and whether it was mended', () => {
  const line = {
    kind: 'session',
    sessionId: '019ab2c4',
    home: 'capture-1',
    events: [
      { version: 2, place: 'stream', problem: 'missing' },
      { version: 4, problem: 'lost' },
      { id: '019ab2c5', problem: 'lost' },
    ],
    row: 'altered',
    damagedBytes: 12,
    files: [{ name: 'manifest.json', problem: 'missing' }],
  } as const;

  const told =
    "019ab2c4  capture-1  event 2 missing in the stream; event 4 is in no place; event of the tag 019ab2c5 is in no place; row altered in the database; 12 bytes of the journal can't be read; manifest.json missing";
  assert.equal(sessionText(line), told);
  assert.equal(sessionText({ ...line, mended: true }), `${told} (mended)`);
  assert.equal(sessionText({ ...line, mended: false }), `${told} (NOT mended)`);
});

test('an event and a row that differ are told in a line each, and what is lost by its place', () => {
  const event = { kind: 'event', id: '019ab2c5', type: 'rule.created', key: '019ab2c6' } as const;

  assert.equal(
    otherEventText({ ...event, place: 'stream', problem: 'missing', mended: true }),
    'rule.created of 019ab2c6 (019ab2c5)  missing in the stream (mended)',
  );
  assert.equal(
    otherEventText({ ...event, problem: 'lost', mended: false }),
    'rule.created of 019ab2c6 (019ab2c5)  is in no place any more (NOT mended)',
  );
  assert.equal(
    otherEventText({ kind: 'event', sequence: 17, problem: 'lost' }),
    'message 17 of the stream  is in no place any more',
  );
  const row = { kind: 'row', table: 'node', key: 'capture-1' } as const;
  assert.equal(rowText({ ...row, problem: 'altered' }), 'node capture-1  altered in the database');
  assert.equal(rowText({ ...row, problem: 'unfounded' }), 'node capture-1  no event speaks of it');
});

test('lines are whole however they arrive', async () => {
  const bytes = new TextEncoder().encode('äb\n\ncd\ne');
  async function* inBytes() {
    for (const byte of bytes) yield await Promise.resolve(Uint8Array.of(byte));
  }
  const lines: string[] = [];
  for await (const line of readLines(inBytes())) lines.push(line);

  assert.deepEqual(lines, ['äb', '', 'cd', 'e']);
});
