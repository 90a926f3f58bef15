import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { after, before, test } from 'node:test';
import type { TestContext } from 'node:test';
import type { StreamedEvent } from '@reelstream/bus';
import type { RawEvent } from '@reelstream/events';
import { legalHoldTag } from '@reelstream/domain';
import { startArchive } from '../support/archive.ts';
import type { Archive } from '../support/archive.ts';
import { randomFrom } from '../support/random.ts';
import { drawBy, emptyDatabase, rewriteStream, streamedMessages } from './alter.ts';
import type { Draw } from './alter.ts';
import { alterRow, alterStoredEvent, followingTableNames, rowsOf } from './alter-rows.ts';
import { leftOf, namesOf, recordCalls, released, summaryOf } from './recorded.ts';
import { allRead, sayOfEveryKind, saySomething } from './said.ts';

let archive: Archive;

before(async () => {
  archive = await startArchive('27200-27398');
  await sayOfEveryKind(archive, await recordCalls(archive, 3));
  await released(archive);
});

after(() => archive[Symbol.asyncDispose]());

/** Draws by a seed that is told. */
const seeded = (t: TestContext): Draw => {
  const seed = randomInt(2 ** 31);
  t.diagnostic(`seed ${seed}`);

  return drawBy(randomFrom(seed));
};

const reconcile = (...options: readonly string[]) => archive.reel('reconcile', '--json', ...options);

const allRows = async () => {
  const tables = [];
  for (const table of [...followingTableNames, 'event'] as const)
    tables.push([table, await rowsOf(archive, table)] as const);

  return Object.fromEntries(tables);
};

const tag = async (sessionId: string, name: string): Promise<void> => {
  const response = await archive.api(`/sessions/${sessionId}/tags`, { method: 'POST', body: { name } });
  assert.ok(response.ok, String(response.status));
};

type Rows = Awaited<ReturnType<typeof allRows>>;

/**
 * Of a rule that was said again behind a later one, this was, too: with another id at another place. When a rule began that is gone is
 * of no account.
 */
const withoutPlaces = (rows: Rows, events: Rows[string]): Rows => ({
  ...rows,
  event: (rows['event'] ?? []).filter(({ id }) => events.some((known) => known['id'] === id)),
  slow_fact: (rows['slow_fact'] ?? []).map(
    ({ generation: _generation, sequence: _sequence, created_at: begun, ...row }) =>
      row['value'] === null ? row : { ...row, begun },
  ),
});

/** What is not of a session, or is said of one by others than its home. */
const isOther = ({ type }: RawEvent): boolean =>
  type === 'session.deleted' || !/^(session|recording)\./.test(type);

const assertEqual = async (): Promise<void> => {
  const { exitCode, stdout, stderr } = await reconcile();
  assert.deepEqual(namesOf(stdout), []);
  assert.equal(exitCode, 0, stderr);
};

test('what users, nodes and watchdogs said is in stream and database, and their rows follow from it', async () => {
  await assertEqual();
  const { otherEvents } = summaryOf((await reconcile()).stdout);
  const said = (await streamedMessages(archive)).filter(({ raw }) => isOther(raw));
  assert.equal(otherEvents, said.length);
  const families = new Set(said.map(({ subject }) => subject.split('.')[1] ?? ''));
  assert.deepEqual([...families].toSorted(), [
    'annotation',
    'closing',
    'media',
    'node',
    'rule',
    'subscription',
  ]);
  for (const table of followingTableNames) assert.notDeepEqual(await rowsOf(archive, table), [], table);
});

test('while calls come and go, and users tag them, nothing is named', async () => {
  const ended = new AbortController();
  const calls = (async (): Promise<void> => {
    for (;;) {
      const [sessionId = ''] = (await recordCalls(archive, 5)).slice(-1);
      await tag(sessionId, 'Callback');
      if (ended.signal.aborted) return;
    }
  })();
  try {
    for (let round = 0; round < 4; round += 1) await assertEqual();
  } finally {
    ended.abort();
    await calls;
  }
  await assertEqual();
});

test('a row of every table, altered or lost at random, is named, no other, and mended', async (t) => {
  const draw = seeded(t);
  const rowsBefore = await allRows();
  const wanted: string[] = [];
  const taken = new Set<unknown>();
  for (const table of followingTableNames) {
    const isSession = table === 'session' || table === 'annotation';
    const { row, column } = await alterRow(archive, table, draw, (each) => !taken.has(each['session_id']));
    if (isSession) taken.add(row['session_id']);
    const problem = column === undefined ? 'missing' : 'altered';
    wanted.push(isSession ? `session ${keyOf(row)} row ${problem}` : `${table} ${keyOf(row)} ${problem}`);
    t.diagnostic(`${wanted.at(-1)}: ${column ?? 'gone'}`);
  }

  const named = await reconcile();
  assert.equal(named.exitCode, 1, named.stderr);
  assert.deepEqual(namesOf(named.stdout), wanted.toSorted());

  const mended = await reconcile('--mend');
  assert.deepEqual(leftOf(mended.stdout), []);
  assert.equal(mended.exitCode, 0, mended.stderr);
  assert.equal(summaryOf(mended.stdout).mended, wanted.length);
  await assertEqual();
  assert.deepEqual(await allRows(), rowsBefore);
});

/** Key of the events from which a row follows; of an alarm the server that it is of. */
const keyOf = (row: Readonly<Record<string, unknown>>): string => {
  const { detail, ...columns } = row as Readonly<Record<string, string>> & { readonly detail?: unknown };
  const { node_id: node, key, subscription_id: subscription, session_id: session } = columns;

  return node ?? key ?? subscription ?? session ?? (detail as { readonly server: string }).server;
};

/** Families of which this release knows types: only of these can an event be said again. */
const known = ['annotation', 'node', 'rule', 'subscription'];

/** Takes messages out of the stream, and out of the database what is said there. Resolves when the stream is read again. */
const lose = async ({
  fromStream,
  fromDatabase,
}: Readonly<Record<'fromStream' | 'fromDatabase', readonly RawEvent[]>>): Promise<void> => {
  const lost = new Set(fromStream.map(({ id }) => id));
  await rewriteStream(archive, (event) => (lost.has(event.id) ? undefined : event));
  await saySomething(archive);
  for (const { id } of fromDatabase)
    await archive.store.db.deleteFrom('event').where('id', '=', id).execute();
};

test('of every family an event altered in the database, one lost there and one lost by the stream are named and mended; one that is nowhere is named', async (t) => {
  const draw = seeded(t);
  const all = await streamedMessages(archive);
  // Without the first its window began later; the database knows the stream again by the last that it has read.
  const left = new Set(all.slice(1, -1).filter(({ raw }) => isOther(raw)));
  const take = (family: string, isMeant: (event: RawEvent) => boolean = () => true): StreamedEvent => {
    const message = draw(
      [...left].filter(({ subject, raw }) => subject.startsWith(`ev.${family}.`) && isMeant(raw)),
    );
    left.delete(message);

    return message;
  };
  // No row follows from an attempt: where one does, it is not as it was.
  const { raw: nowhere, sequence } = take('node', ({ type }) => type.startsWith('attempt.'));
  const unsaid = known.map((family) => take(family).raw);
  await lose({ fromStream: [nowhere, ...unsaid], fromDatabase: [nowhere] });
  const rowsBefore = await allRows();
  const wanted = unsaid.map(({ id, type }) => `${type} ${id} stream missing`);
  const alterations = [...known, ...known, 'closing', 'media'].map((family, index) => ({
    ...take(family).raw,
    isGone: index < known.length || (index >= 2 * known.length && draw([true, false])),
  }));
  for (const { id, type, isGone } of alterations) {
    const column = isGone ? undefined : await alterStoredEvent(archive, id, draw);
    if (isGone) await archive.store.db.deleteFrom('event').where('id', '=', id).execute();
    wanted.push(`${type} ${id} database ${isGone ? 'missing' : 'altered'}`);
    t.diagnostic(`${wanted.at(-1)}: ${column ?? 'gone'}`);
  }
  const lost = `message ${sequence} lost`;

  const named = await reconcile();
  assert.equal(named.exitCode, 1, named.stderr);
  assert.deepEqual(namesOf(named.stdout), [...wanted, lost].toSorted());

  const mended = await reconcile('--mend');
  assert.deepEqual(leftOf(mended.stdout), [lost], mended.stderr);
  assert.equal(mended.exitCode, 1);
  assert.deepEqual(namesOf((await reconcile()).stdout), [lost]);
  const before = rowsBefore['event'] ?? [];
  assert.deepEqual(withoutPlaces(await allRows(), before), withoutPlaces(rowsBefore, before));
});

test('a legal hold of which only the row still tells stays, and so does a row that no event speaks of; both are named', async () => {
  const before = namesOf((await reconcile()).stdout);
  const isHold = ({ type, data }: RawEvent): boolean =>
    type === 'tag.added' && (data as { readonly name: string }).name === legalHoldTag;
  const hold = (await streamedMessages(archive)).find(({ raw }) => isHold(raw));
  assert.ok(hold);
  const { raw, sequence } = hold;
  await lose({ fromStream: [raw], fromDatabase: [raw] });
  await archive.store.db
    .insertInto('node')
    .values({ node_id: 'pilot-9', role: 'pilot', epoch: 1, state: 'stopped', changed_at: new Date() })
    .execute();
  const rowsBefore = await allRows();

  const { exitCode, stdout } = await reconcile('--mend');

  assert.equal(exitCode, 1);
  const wanted = [
    `message ${sequence} lost`,
    'node pilot-9 unfounded',
    `session ${raw.subject} ${raw.id}  lost`,
  ];
  assert.deepEqual(leftOf(stdout), [...before, ...wanted].toSorted());
  assert.deepEqual(await allRows(), rowsBefore);
});

test('a database that is filled anew from a mended stream has the rules and nodes that the old one had', async () => {
  const all = await streamedMessages(archive);
  const firsts = ['rule.created', 'controller.set', 'node.draining', 'node.started'];
  // Of each a later event speaks of the same.
  const earlier = firsts.map((type) => all.find(({ raw }) => raw.type === type && isFollowed(raw, all))?.raw);
  const fromStream = earlier.filter((event) => event !== undefined);
  assert.equal(fromStream.length, firsts.length);
  await lose({ fromStream, fromDatabase: [] });
  await reconcile('--mend');
  const states = async () =>
    (await rowsOf(archive, 'node'))
      .filter((row) => row['role'] === 'capture')
      .map((row) => [row['node_id'], row['state']]);
  const values = async () => (await rowsOf(archive, 'slow_fact')).map((row) => [row['key'], row['value']]);
  const before = [await values(), await states()];
  await archive.stopMetadata();
  await emptyDatabase(archive);
  await archive.startMetadata();
  await allRead(archive);

  assert.deepEqual([await values(), await states()], before);
});

const isFollowed = (event: RawEvent, all: readonly StreamedEvent[]): boolean =>
  all.some(({ raw }) => raw.subject === event.subject && raw.type !== event.type && raw.time >= event.time);
