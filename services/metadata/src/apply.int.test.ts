import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { announceNode } from '@reelstream/bus';
import { commandSubject, familyOf, freshId, positionSubject } from '@reelstream/events';
import type { Command, DomainEvent, PositionAnnouncement } from '@reelstream/events';
import { toJson } from '@reelstream/store';
import { heartbeatOf } from './test-support/heartbeat.ts';
import { startTestMetadata, until } from './test-support/system.ts';
import type { TestMetadata } from './test-support/system.ts';
import { storyOf } from './test-support/story.ts';

let system: TestMetadata;
before(async () => {
  system = await startTestMetadata();
});
after(() => system[Symbol.asyncDispose]());

/** Puts anything on an event's subject, as a strange producer might. */
const publish = (event: DomainEvent, change: object = {}): void =>
  system.bus.publish(`ev.${familyOf(event.type)}.${event.subject}`, { ...event, ...change });

const sessionOf = (sessionId: string) =>
  system.store.db
    .selectFrom('session')
    .select(['state', 'version', 'epoch'])
    .where('session_id', '=', sessionId)
    .executeTakeFirst();

const reaches = (sessionId: string, version: number): Promise<void> =>
  until(`version ${version}`, async () => (await sessionOf(sessionId))?.version === version);

const parkedReasons = async (key: string): Promise<string[]> => {
  const rows = await system.store.db
    .selectFrom('parked')
    .select('reason')
    .where('subject', 'like', `%${key}`)
    .execute();

  return rows.map(({ reason }) => reason);
};

const isHeld = async (id: string): Promise<boolean> => {
  const row = await system.store.db
    .selectFrom('event')
    .select('applied')
    .where('id', '=', id)
    .executeTakeFirst();

  return row?.applied === false;
};

test('an event that is stored twice is applied once', async () => {
  const { sessionId, started, updated } = storyOf();
  for (const event of [started, started, updated, updated, started]) publish(event);
  await reaches(sessionId, 2);
  const rows = await system.store.db
    .selectFrom('event')
    .select('id')
    .where('subject', '=', sessionId)
    .execute();
  assert.equal(rows.length, 2);
});

test('a gap holds a session back until its home has republished; others go on', async () => {
  const home = 'capture-8';
  const { sessionId, started, updated, ended, sealed } = storyOf({ home });
  const asked: Command['command'][] = [];
  const end = system.bus.subscribe(commandSubject(home), ({ data, reply }) => {
    asked.push((data as Command).command);
    reply({ ok: true });
    publish(updated);
  });
  for (const event of [started, ended, sealed]) publish(event);
  const other = storyOf();
  other.events.forEach((event) => publish(event));
  await reaches(other.sessionId, 4);
  await reaches(sessionId, 4);
  assert.deepEqual(asked[0], { name: 'republish', sessionId, fromVersion: 2 });
  end();
});

test('a type of a later release is kept, holds back its session, and is applied after the upgrade', async () => {
  const { sessionId, started, updated, ended } = storyOf();
  publish(started);
  publish(updated, { type: 'session.renamed' });
  publish(ended);
  await until('the strange one to be kept', () => isHeld(ended.id));
  assert.equal((await sessionOf(sessionId))?.version, 1);

  // The upgrade: what was unknown is a type of this release.
  await system.store.db
    .updateTable('event')
    .set({ envelope: toJson(updated), type: updated.type })
    .where('id', '=', updated.id)
    .execute();
  await system.stop();
  await system.start();
  await reaches(sessionId, 3);
  assert.equal(await isHeld(ended.id), false);
});

test('what is no event, or none that can be applied, is parked with the reason, and its neighbours are not', async () => {
  const before = storyOf();
  const broken = storyOf();
  const poison = storyOf();
  const afterwards = storyOf();
  before.events.forEach((event) => publish(event));
  publish(broken.started, { version: 0 });
  publish(broken.started, { id: freshId(), subject: before.sessionId });
  publish(broken.updated, { version: 1 });
  // A month 13 has the form of a time, and only the database notices.
  publish(poison.started, { data: { ...poison.started.data, startedAt: '2026-13-01T00:00:00.000Z' } });
  afterwards.events.forEach((event) => publish(event));
  await reaches(before.sessionId, 4);
  await reaches(afterwards.sessionId, 4);
  const reasons = await parkedReasons(broken.sessionId);
  assert.match(reasons.join('\n'), /envelope: \/version/);
  assert.match(reasons.join('\n'), /was stored on/);
  assert.match(reasons.join('\n'), /before session.started/);
  assert.match((await parkedReasons(poison.sessionId)).join(), /refused by the database/);
});

test('text that PostgreSQL can not hold is no reason to lose a call', async () => {
  const { sessionId, started } = storyOf({ participant: { name: 'a\0b\ud800' } });
  publish(started);
  await reaches(sessionId, 1);
});

test('a node that falls silent is lost, and its running sessions are interrupted until it returns', async () => {
  const home = 'capture-5';
  const { sessionId, started, updated, ended } = storyOf({ home, epoch: 4 });
  const heartbeat = heartbeatOf(home, { epoch: 4, load: 1, capacity: 400 });
  const end = announceNode(system.bus, () => heartbeat);
  publish(started);
  await reaches(sessionId, 1);
  end();
  await until(
    'the session to be interrupted',
    async () => (await sessionOf(sessionId))?.state === 'INTERRUPTED',
  );

  publish(updated, { epoch: 5 });
  await until('the session to go on', async () => (await sessionOf(sessionId))?.state === 'ACTIVE');
  publish(ended, { epoch: 5 });
  await until('the end', async () => (await sessionOf(sessionId))?.state === 'CLOSED_NORMAL');
});

test('a database that is killed is caught up with when it returns, and health says that it was away', async () => {
  const announced: PositionAnnouncement[] = [];
  const end = system.bus.subscribe(
    positionSubject('primary'),
    ({ data }) => void announced.push(data as PositionAnnouncement),
  );
  await system.postgres.kill();
  const { sessionId, events } = storyOf();
  events.forEach((event) => publish(event));
  type Health = { readonly database: { readonly state: string }; readonly missing: readonly string[] };
  await until('health to say so', async () => {
    const health = await system.json<Health>('/health');

    return health.database.state === 'AWAY' && health.missing.includes('database');
  });
  const away = await system.api('/sessions');
  assert.equal(away.status, 503);
  assert.equal(((await away.json()) as { code: string }).code, 'DATABASE_UNAVAILABLE');

  await system.postgres.restart();
  await until(
    'health to be well',
    async () => (await system.json<Health>('/health')).database.state === 'READY',
  );
  await reaches(sessionId, 4);
  const { lastSequence } = await system.bus.events.info();
  await until('the position to be announced', () => (announced.at(-1)?.sequence ?? 0) >= lastSequence);
  end();
});
