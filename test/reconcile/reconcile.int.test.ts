import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { after, before, test } from 'node:test';
import { readJournal, readManifest } from '@reelstream/recording';
import { sql } from '@reelstream/store';
import { startArchive } from '../support/archive.ts';
import type { Archive } from '../support/archive.ts';
import { randomFrom } from '../support/random.ts';
import {
  altered,
  cutMedia,
  drawBy,
  emptyDatabase,
  emptyStream,
  flipMedia,
  folderAlterations,
  rewriteStream,
  sessionFolder,
  streamedEvents,
} from './alter.ts';
import {
  differencesOf,
  faultsOf,
  namesOf,
  recordCalls,
  released,
  sealedSessions,
  summaryOf,
} from './recorded.ts';

let archive: Archive;

before(async () => {
  archive = await startArchive('27000-27198');
});

after(() => archive[Symbol.asyncDispose]());

const assertEqual = async (sessions: number): Promise<void> => {
  const { exitCode, stdout, stderr } = await archive.reel('reconcile', '--json');
  assert.deepEqual(namesOf(stdout), []);
  assert.equal(exitCode, 0, stderr);
  const summary = summaryOf(stdout);
  assert.deepEqual([summary.sessions, summary.homesAway], [sessions, 0]);
};

const sessionRows = () => archive.store.db.selectFrom('session').selectAll().orderBy('session_id').execute();

test('three places that hold the same are found equal, and every event is there once and in order', async () => {
  const sessionIds = await recordCalls(archive, 3);

  const { exitCode, stdout, stderr } = await archive.reel('reconcile', '--json');

  assert.equal(exitCode, 0, stderr);
  assert.deepEqual(differencesOf(stdout), []);
  const { sessions, events, stream, different, homesAway } = summaryOf(stdout);
  assert.deepEqual([sessions, different, homesAway], [sessionIds.length, 0, 0]);
  assert.ok(events >= 4 * sessionIds.length, `${events} events`);
  assert.deepEqual([stream.repeats, stream.outOfOrder, stream.invalid], [0, 0, 0]);
});

test('what a stream has lost that was put back to an older store is said again by its homes', async () => {
  const kept = await recordCalls(archive, 1);
  const snapshot = await archive.nats.snapshot();
  const sessionIds = await recordCalls(archive, 4);
  // Until then the homes themselves keep what they have said, and say it again.
  await released(archive);
  await archive.nats.restore(snapshot);

  const named = differencesOf((await archive.reel('reconcile', '--json')).stdout);
  assert.deepEqual(
    named.map(({ sessionId }) => sessionId),
    sessionIds.filter((sessionId) => !kept.includes(sessionId)),
  );
  assert.ok(named.flatMap(faultsOf).every((fault) => fault.endsWith('stream missing')));

  const { exitCode, stderr } = await archive.reel('reconcile', '--mend');
  assert.equal(exitCode, 0, stderr);
  await assertEqual(sessionIds.length);
  const said = (await streamedEvents(archive)).filter(({ type }) => type === 'recording.sealed');
  assert.deepEqual(said.map(({ subject }) => subject).toSorted(), sessionIds);
});

test('rows and events that the database lost come back', async () => {
  const sessionIds = await recordCalls(archive, 2);
  const [first = '', second = '', third = ''] = sessionIds;
  const rowsBefore = await sessionRows();
  const { db } = archive.store;
  await db.deleteFrom('event').where('subject', '=', first).execute();
  await db.deleteFrom('session').where('session_id', '=', first).execute();
  await db.deleteFrom('event').where('subject', '=', second).where('version', '=', 2).execute();
  await db.deleteFrom('session').where('session_id', '=', third).execute();

  const named = await archive.reel('reconcile', '--json');
  const lines = differencesOf(named.stdout);
  assert.deepEqual(
    lines.map(({ sessionId }) => sessionId),
    [first, second, third],
  );
  assert.ok(faultsOf(lines[0]).every((fault) => fault.endsWith('database missing')));
  assert.deepEqual(faultsOf(lines[1]), ['2 database missing']);
  assert.equal(lines[2]?.row, 'missing');

  const { exitCode, stderr } = await archive.reel('reconcile', '--mend');
  assert.equal(exitCode, 0, stderr);
  await assertEqual(sessionIds.length);
  assert.deepEqual(await sessionRows(), rowsBefore);
});

test('one row, one stored event and one folder that were altered at random are named, no other, and mended', async (t) => {
  const sessionIds = await recordCalls(archive, 3);
  // What a home has in its outbox it says again by itself.
  await released(archive);
  const rowsBefore = await sessionRows();
  const seed = randomInt(2 ** 31);
  t.diagnostic(`seed ${seed}`);
  const draw = drawBy(randomFrom(seed));
  const ids = [...sessionIds];
  const take = (): string => ids.splice(ids.indexOf(draw(ids)), 1)[0] ?? '';

  const inRow = take();
  const column = draw(['state', 'version', 'home', 'doc', 'participants'] as const);
  const others = {
    state: sql`'CLOSED_ERROR'`,
    version: sql`version + 1`,
    home: sql`'capture-9'`,
    doc: sql`jsonb_set(doc, '{durationMs}', '1')`,
    participants: sql`participants[2:]`,
  };
  await sql`update session set ${sql.ref(column)} = ${others[column]} where session_id = ${inRow}`.execute(
    archive.store.db,
  );

  const inTable = take();
  const stored = draw((await streamedEvents(archive)).filter(({ subject }) => subject === inTable));
  await sql`update event set envelope = jsonb_set(envelope, '{epoch}', '99') where id = ${stored.id}`.execute(
    archive.store.db,
  );

  const inStream = take();
  const streamed = draw((await streamedEvents(archive)).filter(({ subject }) => subject === inStream));
  await rewriteStream(archive, (event) => (event.id === streamed.id ? altered(event) : event));

  const inFolder = take();
  const folder = sessionFolder(archive, inFolder);
  const manifest = await readManifest(folder);
  const alteration = draw(Object.keys(folderAlterations) as (keyof typeof folderAlterations)[]);
  await folderAlterations[alteration](folder, draw);
  t.diagnostic(`row: ${column}; stored event: ${streamed.type}; folder: ${alteration}`);

  const named = await archive.reel('reconcile', '--json');
  assert.equal(named.exitCode, 1);
  const lines = new Map(differencesOf(named.stdout).map((line) => [line.sessionId, line]));
  assert.deepEqual([...lines.keys()].toSorted(), [inRow, inTable, inStream, inFolder].toSorted());
  assert.deepEqual([lines.get(inRow)?.row, lines.get(inRow)?.events], ['altered', []]);
  assert.deepEqual(faultsOf(lines.get(inTable)), [`${stored.version} database altered`]);
  assert.deepEqual(faultsOf(lines.get(inStream)), [`${streamed.version} stream altered`]);
  const found = lines.get(inFolder);
  assert.ok(found);
  assert.ok(found.events.every(({ place }) => place === 'folder'));
  assert.ok(
    found.events.length > 0 ||
      found.damagedBytes !== undefined ||
      found.files?.every(({ name }) => name === 'manifest.json'),
  );

  const mended = await archive.reel('reconcile', '--mend', '--json');
  assert.equal(mended.exitCode, 0, `${mended.stderr}\n${mended.stdout}`);
  assert.equal(summaryOf(mended.stdout).mended, 4);

  await assertEqual(sessionIds.length);
  assert.deepEqual(await sessionRows(), rowsBefore);
  assert.deepEqual(await readManifest(folder), manifest);
  assert.deepEqual((await readJournal(folder)).damage, []);
});

test('with stream and database deleted, all sessions are rebuilt from their folders', async () => {
  const sessionIds = await recordCalls(archive, 3);
  const rowsBefore = await sessionRows();
  await archive.stopMetadata();
  await emptyDatabase(archive);
  await emptyStream(archive);
  await archive.startMetadata();
  assert.deepEqual(await sessionRows(), []);

  const { exitCode, stdout, stderr } = await archive.reel('reconcile', '--mend', '--json');

  assert.equal(exitCode, 0, `${stderr}\n${stdout}`);
  const { different, mended } = summaryOf(stdout);
  assert.deepEqual([different, mended], [sessionIds.length, sessionIds.length]);
  assert.deepEqual(await sealedSessions(archive, sessionIds.length), sessionIds);
  assert.deepEqual(await sessionRows(), rowsBefore);
  await assertEqual(sessionIds.length);
});

test('a flipped bit in media is found where media is read, and the file is as it was once the bit is', async (t) => {
  const sessionId = (await recordCalls(archive, 1)).at(-1) ?? '';
  const folder = sessionFolder(archive, sessionId);
  const seed = randomInt(2 ** 31);
  t.diagnostic(`seed ${seed}`);
  const name = await flipMedia(folder, drawBy(randomFrom(seed)));
  assert.equal((await archive.reel('reconcile')).exitCode, 0, 'by its size it is as it was sealed');

  const { exitCode, stdout } = await archive.reel('reconcile', '--media', '--json');
  assert.equal(exitCode, 1);
  assert.deepEqual(
    differencesOf(stdout).map(({ sessionId: id, files, events }) => ({ id, files, events })),
    [{ id: sessionId, files: [{ name, problem: 'altered' }], events: [] }],
  );

  assert.equal(await flipMedia(folder, drawBy(randomFrom(seed))), name);
  assert.equal((await archive.reel('reconcile', '--media')).exitCode, 0);
});

test('media that was altered is named; nothing can mend it', async () => {
  const sessionId = (await recordCalls(archive, 1)).at(-1) ?? '';
  const name = await cutMedia(sessionFolder(archive, sessionId), drawBy(randomFrom(randomInt(2 ** 31))));

  const { exitCode, stdout } = await archive.reel('reconcile', '--mend', '--json');

  assert.equal(exitCode, 1);
  assert.deepEqual(
    differencesOf(stdout).map(({ files, mended }) => ({ files, mended })),
    [{ files: [{ name, problem: 'altered' }], mended: false }],
  );
});
