import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { RawEvent } from '@reelstream/events';
import { eventOf as anEvent } from './event.fixture.ts';
import { openJournal, readJournal } from './journal.ts';
import { mendJournal } from './mend.ts';
import { journalFile } from './paths.ts';

const eventOf = (version: number, data: unknown = {}): RawEvent =>
  anEvent(version, {
    id: `019ab2c4-7c1e-7d5a-9d0c-0a1b2c3d4e5${version}`,
    subject: '019ab2c4-7c1e-7d5a-9d0c-0a1b2c3d4e5f',
    time: '2026-11-23T07:00:00.000Z',
    schema: 2,
    data,
  });

const inFolder = async (work: (folder: string) => Promise<void>): Promise<void> => {
  const folder = await mkdtemp(join(tmpdir(), 'journal-'));
  try {
    await work(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
};

test('a journal gets a lost event back at the place of its version, and is whole again', () =>
  inFolder(async (folder) => {
    const events = [eventOf(1), eventOf(2), eventOf(3)];
    const journal = await openJournal(folder);
    await journal.append(events, { dialogs: { kept: true } });
    await journal.close();
    const path = join(folder, journalFile);
    const text = await readFile(path, 'utf8');
    await writeFile(path, text.replace('"version":2', '"version":7'));
    const damaged = await readJournal(folder);
    assert.equal(damaged.damage.length, 1);
    assert.deepEqual(damaged.events, [eventOf(1), eventOf(3)]);

    await mendJournal(folder, [eventOf(2)]);

    const mended = await readJournal(folder);
    assert.deepEqual(mended, {
      events,
      notes: { dialogs: { kept: true } },
      lastVersion: 3,
      damage: [],
      tail: undefined,
    });
  }));

test('an event in a journal that is another than it should be is replaced', () =>
  inFolder(async (folder) => {
    const journal = await openJournal(folder);
    await journal.append([eventOf(1), eventOf(2, { wrong: true })]);
    await journal.close();

    await mendJournal(folder, [eventOf(2)]);

    assert.deepEqual((await readJournal(folder)).events, [eventOf(1), eventOf(2)]);
  }));

test('a folder that is gone gets its journal back', () =>
  inFolder(async (folder) => {
    const gone = join(folder, '2026/11/23/session');
    await mendJournal(gone, [eventOf(2), eventOf(1)]);

    assert.deepEqual((await readJournal(gone)).events, [eventOf(1), eventOf(2)]);
  }));
