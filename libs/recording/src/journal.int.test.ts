import assert from 'node:assert/strict';
import { appendFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { saveBody } from './bodies.ts';
import { eventOf } from './event.fixture.ts';
import { openJournal, readJournal } from './journal.ts';
import { openOutbox } from './outbox.ts';

const temporary = async (t: TestContext): Promise<string> => {
  const folder = await mkdtemp(join(tmpdir(), 'journal-'));
  t.after(() => rm(folder, { recursive: true, force: true }));

  return folder;
};

test('appends that come together are all there, in order, after reopening', async (t) => {
  const folder = join(await temporary(t), '2025', '11', '25', 'session');
  const journal = await openJournal(folder);
  await Promise.all(Array.from({ length: 50 }, (_, i) => journal.append([eventOf(i + 1)])));
  await journal.note('ports', [16_384]);
  await journal.close();
  await assert.rejects(journal.append([eventOf(51)]), { code: 'JOURNAL_WRITE' });

  const reopened = await openJournal(folder);
  assert.deepEqual(
    reopened.events.map(({ version }) => version),
    Array.from({ length: 50 }, (_, i) => i + 1),
  );
  assert.deepEqual(reopened.notes, { ports: [16_384] });
  await reopened.close();
});

test('opening cuts a torn tail, says so, and goes on behind the last whole line', async (t) => {
  const folder = await temporary(t);
  const journal = await openJournal(folder);
  await journal.append([eventOf(1)]);
  await journal.close();
  const path = join(folder, 'journal.ndjson');
  const whole = await readFile(path);
  await appendFile(path, '12345678 {"kind":"event","eve');

  const reopened = await openJournal(folder);
  assert.deepEqual(reopened.opened.tail, { atByte: whole.length, bytes: 29 });
  await reopened.append([eventOf(2)]);
  await reopened.close();
  const read = await readJournal(folder);
  assert.deepEqual(
    read.events.map(({ version }) => version),
    [1, 2],
  );
  assert.equal(read.tail, undefined);
});

test('a journal written anew has events that it had lost in their places, and nothing that counts no more', async (t) => {
  const folder = await temporary(t);
  const journal = await openJournal(folder);
  await journal.append([eventOf(1), eventOf(2), eventOf(3)], { kept: 1, gone: 2 });
  await journal.note('gone', null);
  await journal.close();
  const path = join(folder, 'journal.ndjson');
  await writeFile(path, (await readFile(path, 'utf8')).replace('"version":2', '"version":7'));

  const reopened = await openJournal(folder);
  assert.equal(reopened.opened.damage.length, 1);
  await Promise.all([reopened.renew([eventOf(2)]), reopened.note('later', 3), reopened.append([eventOf(4)])]);
  assert.deepEqual(reopened.notes, { kept: 1, later: 3 });
  await reopened.close();
  const read = await readJournal(folder);
  assert.deepEqual(
    read.events.map(({ version }) => version),
    [1, 2, 3, 4],
  );
  assert.deepEqual([read.notes, read.damage], [{ kept: 1, later: 3 }, []]);
  assert.ok(!(await readFile(path, 'utf8')).includes('gone'));
});

test('a missing journal reads as an empty one', async (t) => {
  const read = await readJournal(join(await temporary(t), 'nowhere'));
  assert.deepEqual(read.events, []);
});

test('the outbox lists what was added and not removed, oldest first', async (t) => {
  const folder = join(await temporary(t), 'outbox');
  const outbox = await openOutbox(folder);
  for (const id of ['b', 'a', 'c', 'a']) await outbox.add(id);
  await outbox.remove('b');
  await outbox.remove('b');
  assert.deepEqual(await (await openOutbox(folder)).list(), ['a', 'c']);
  await assert.rejects(outbox.add('../evil'), RangeError);
});

test('a body is kept byte for byte under a harmless name, once', async (t) => {
  const folder = await temporary(t);
  const bytes = Buffer.from([0, 255, 13, 10]);
  await saveBody(folder, '0001-invite.txt', bytes);
  assert.deepEqual(await readFile(join(folder, 'bodies', '0001-invite.txt')), bytes);
  await assert.rejects(saveBody(folder, '0001-invite.txt', bytes), { code: 'EEXIST' });
  await assert.rejects(saveBody(folder, '../journal.ndjson', bytes), RangeError);
});
