import assert from 'node:assert/strict';
import { mkdirSync, rmSync } from 'node:fs';
import { join, relative } from 'node:path';
import { test } from 'node:test';
import { freshId } from '@reelstream/events';
import type { RawEvent } from '@reelstream/events';
import { PowerLoss } from './power-loss.fixture.ts';
import { eventOf } from './event.fixture.ts';
import { openJournal, readJournal } from './journal.ts';
import { openOutbox } from './outbox.ts';
import { recordingFolder } from './paths.ts';
import { SegmentLog } from './segment-log.ts';
import { SegmentStore } from './segment-store.ts';

const event = (subject: string, version: number): RawEvent => eventOf(version, { id: freshId(), subject });

/** What the loss of power at this moment leaves of a folder, as `look` sees it. */
const afterLoss = async <T>(
  power: PowerLoss,
  folder: string,
  look: (folder: string) => Promise<T> | T,
): Promise<T> => {
  const survived = power.survivors();
  try {
    return await look(join(survived, relative(power.root, folder)));
  } finally {
    rmSync(survived, { recursive: true });
  }
};

test('an event that was acknowledged survives a loss of power at that moment, its note with it', async () => {
  using power = new PowerLoss();
  const folder = join(power.root, 'recordings', recordingFolder(freshId()));
  const journal = await openJournal(folder);
  const appends = Array.from({ length: 30 }, async (_, place) => {
    const version = place + 1;
    await journal.append([event('s', version)], { last: version });
    const { events, notes, tail } = await afterLoss(power, folder, readJournal);
    assert.ok(
      events.some((found) => found.version === version),
      `${version} of ${events.length}`,
    );
    assert.ok(Number(notes['last']) >= version);
    assert.equal(tail, undefined);
    // Not synced of its own: it may be lost, and must harm nothing.
    await journal.jot('unsynced', version);
  });
  await Promise.all(appends);
  await journal.close();
});

test('sessions that begin at once in a new day survive, though only one of them made its folder', async () => {
  using power = new PowerLoss();
  const outboxFolder = join(power.root, 'capture', 'outbox');
  const outbox = await openOutbox(outboxFolder);
  const begin = async (): Promise<void> => {
    const sessionId = freshId();
    const folder = join(power.root, 'recordings', recordingFolder(sessionId));
    await outbox.add(sessionId);
    const journal = await openJournal(folder);
    await journal.append([event(sessionId, 1)]);
    const { events } = await afterLoss(power, folder, readJournal);
    assert.deepEqual(
      events.map(({ subject }) => subject),
      [sessionId],
    );
    const listed = await afterLoss(power, outboxFolder, async (path) => (await openOutbox(path)).list());
    assert.ok(listed.includes(sessionId));
    await journal.close();
  };
  await Promise.all(Array.from({ length: 20 }, begin));
});

test('a session survives in a day whose folders a process had made that was killed before it synced them', async () => {
  using power = new PowerLoss();
  const sessionId = freshId();
  const folder = join(power.root, 'recordings', recordingFolder(sessionId));
  // Its outbox names the session, of which there is not even a journal: the next life takes it for one that never began.
  await (await openOutbox(join(power.root, 'capture', 'outbox'))).add(sessionId);
  mkdirSync(folder, { recursive: true });
  assert.deepEqual((await readJournal(folder)).events, []);
  const another = join(folder, '..', freshId());
  const journal = await openJournal(another);
  await journal.append([event('s', 1)]);
  const { events } = await afterLoss(power, another, readJournal);
  assert.equal(events.length, 1);
  await journal.close();
});

test('media that was synced survives, in every segment it lies in', async () => {
  using power = new PowerLoss();
  const segments = join(power.root, 'capture', 'segments');
  const sessionId = freshId();
  let trouble: Error | undefined;
  const log = await SegmentLog.open({
    segments,
    worker: 0,
    epoch: 1,
    segmentBytes: 20_000,
    monotonicNs: () => 1_000_000_000,
    wallMs: () => 1_700_000_000_000,
    onClosed: () => undefined,
    onTrouble: (error) => (trouble = error),
    onRecovered: () => undefined,
  });
  const stream = log.stream(sessionId, 0);
  for (let block = 1; block <= 100; block++) {
    log.append(stream, Buffer.alloc(1_000, block));
    await log.flush();
    if (block % 10 !== 0) continue;
    await log.sync();
    const found = await afterLoss(power, segments, (path) => {
      using store = new SegmentStore(path);

      return store.scan().sessions.get(sessionId)?.get(0)?.length ?? 0;
    });
    assert.ok(found >= block, `${found} of ${block}`);
  }
  await log.close();
  assert.equal(trouble, undefined);
});
