import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readLines } from '../lines.ts';
import { sessionText } from './reconcile.ts';

test('a session that differs is told in one line: what is wrong, where, and whether it was mended', () => {
  const line = {
    kind: 'session',
    sessionId: '019ab2c4',
    home: 'capture-1',
    events: [
      { version: 2, place: 'stream', problem: 'missing' },
      { version: 4, problem: 'lost' },
    ],
    row: 'altered',
    damagedBytes: 12,
    files: [{ name: 'manifest.json', problem: 'missing' }],
  } as const;

  const told =
    "019ab2c4  capture-1  event 2 missing in the stream; event 4 is in no place; row altered in the database; 12 bytes of the journal can't be read; manifest.json missing";
  assert.equal(sessionText(line), told);
  assert.equal(sessionText({ ...line, mended: true }), `${told} (mended)`);
  assert.equal(sessionText({ ...line, mended: false }), `${told} (NOT mended)`);
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
