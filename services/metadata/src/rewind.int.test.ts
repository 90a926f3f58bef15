import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { connectBus } from '@reelstream/bus';
import { freshId, mintEvent } from '@reelstream/events';
import type { DomainEvent } from '@reelstream/events';
import { Outbox } from './test-support/outbox.ts';
import { startRelay } from './test-support/relay.ts';
import { storyOf } from './test-support/story.ts';
import type { Story } from './test-support/story.ts';
import { startTestMetadata, until } from './test-support/system.ts';
import type { TestMetadata } from './test-support/system.ts';

const duplicateWindowMs = 200;

const subscribe = async (system: TestMetadata): Promise<string> => {
  const response = await system.api('/subscriptions', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ url: 'https://example.com/hook' }),
  });
  assert.equal(response.status, 201);

  return ((await response.json()) as { id: string }).id;
};

const refusedAttempt = (): DomainEvent =>
  mintEvent({
    type: 'attempt.refused',
    id: freshId(),
    time: '2026-11-23T07:00:00.000Z',
    source: '/local/pilot-1',
    subject: 'pilot-1',
    origin: 'primary',
    version: 1,
    epoch: 1,
    data: {
      attemptId: freshId(),
      at: '2026-11-23T07:00:00.000Z',
      callId: 'c',
      fromUri: 'sip:a@b',
      toUri: 'sip:c@d',
      controllerAddress: '192.0.2.10',
      cause: 'no-capacity',
      status: 503,
    },
  });

const stories = (count: number): Story[] => Array.from({ length: count }, () => storyOf());
const eventsOf = (all: readonly Story[]): DomainEvent[] => all.flatMap(({ events }) => events);

const isStored = async ({ store }: TestMetadata, id: string): Promise<boolean> => {
  const row = await store.db.selectFrom('event').select('id').where('id', '=', id).executeTakeFirst();

  return row !== undefined;
};

/** Every fact once, in order, and every delivery too. */
const assertComplete = async (
  { store }: TestMetadata,
  subscriptionId: string,
  all: readonly Story[],
): Promise<void> => {
  const rows = await store.db.selectFrom('event').select(['id', 'applied']).execute();
  const applied = new Map(rows.map((row) => [row.id, row.applied]));
  const deliveries = await store.db
    .selectFrom('delivery')
    .select(['session_key', 'sequence', 'event_id'])
    .where('subscription_id', '=', subscriptionId)
    .orderBy('sequence')
    .execute();
  assert.deepEqual(
    deliveries.map(({ sequence }) => sequence),
    deliveries.map((_, index) => index + 1),
  );
  for (const { sessionId, events } of all) {
    const ids = events.map(({ id }) => id);
    assert.deepEqual(
      ids.map((id) => applied.get(id)),
      ids.map(() => true),
    );
    const delivered = deliveries.filter((row) => row.session_key === sessionId).map((row) => row.event_id);
    assert.deepEqual(delivered, ids);
    const session = await store.db
      .selectFrom('session')
      .select(['version', 'state'])
      .where('session_id', '=', sessionId)
      .executeTakeFirst();
    assert.deepEqual(session, { version: 4, state: 'CLOSED_NORMAL' });
  }
};

type Health = {
  readonly database: { readonly position: string };
  readonly alarms: readonly { readonly kind: string; readonly detail: { readonly cause: string } }[];
};

test('an append whose ack was lost, retried after the duplicate window, is one fact in the database', async () => {
  await using system = await startTestMetadata();
  await using relay = await startRelay(system.nats.port);
  const url = `nats://127.0.0.1:${relay.port}`;
  await using bus = await connectBus({ url, name: 'producer', duplicateWindowMs });
  const subscriptionId = await subscribe(system);
  await bus.events.ensure();
  const story = storyOf();
  await bus.events.appendOwned(story.started);
  const attempt = refusedAttempt();

  relay.loseAnswers();
  const appends = [bus.events.appendOwned(story.updated), bus.events.appendShared(attempt)] as const;
  await until(
    'both to be stored',
    async () => (await isStored(system, story.updated.id)) && isStored(system, attempt.id),
  );
  relay.cut();
  await sleep(duplicateWindowMs * 3);
  relay.heal();
  const [owned] = await Promise.all(appends);
  assert.equal(owned.status, 'already-stored');

  for (const event of [story.ended, story.sealed]) await bus.events.appendOwned(event);
  await until('the end', () => isStored(system, story.sealed.id));
  await assertComplete(system, subscriptionId, [story]);
  const told = await system.store.db
    .selectFrom('delivery')
    .select('sequence')
    .where('event_id', '=', attempt.id)
    .execute();
  assert.equal(told.length, 1);
});

test('a stream put back by 100 events while all run: every fact once, in order, and an alarm', async () => {
  await using system = await startTestMetadata();
  using outbox = new Outbox(system.bus);
  const subscriptionId = await subscribe(system);
  const before = stories(5);
  await outbox.append(eventsOf(before));
  await until('the first to be committed', () => outbox.kept.length === 0);

  const older = await system.nats.snapshot();
  const lost = stories(24);
  await outbox.append(eventsOf(lost));
  await until('the next to be committed', () => outbox.kept.length === 0);
  // Four more, written by the API and the pilots: only the database still has them then.
  const late = await subscribe(system);
  const attempts = [refusedAttempt(), refusedAttempt(), refusedAttempt()];
  await outbox.append(attempts);
  await until('the last to be committed', () => outbox.kept.length === 0);
  await system.nats.restore(older);

  await until('an alarm', async () => (await system.json<Health>('/health')).alarms.length > 0);
  const after = stories(5);
  await outbox.append(eventsOf(after));
  await until('the new ones to be committed', () => outbox.kept.length === 0);
  const { alarms, database } = await system.json<Health>('/health');
  assert.equal(alarms[0]?.kind, 'position.rewound');
  assert.match(database.position, /^2:/);
  await assertComplete(system, subscriptionId, [...before, ...lost, ...after]);

  await until('the stream to hold again what only the database had', async () => {
    const held = await streamIds(system);
    const said = await system.store.db
      .selectFrom('event')
      .select(['id', 'generation'])
      .where('type', 'in', ['position.rewound', 'subscription.created', 'attempt.refused'])
      .execute();

    return (
      said.length === 6 &&
      said.every(({ id }) => held.has(id)) &&
      said.filter(({ generation }) => generation === 2).length === 5
    );
  });
  assert.equal((await system.api(`/subscriptions/${late}`)).status, 200);
});

test('a stream put back while metadata was away, and written on past its position, is noticed by the id', async () => {
  await using system = await startTestMetadata();
  using outbox = new Outbox(system.bus);
  const subscriptionId = await subscribe(system);
  const older = await system.nats.snapshot();
  const committed = stories(15);
  await outbox.append(eventsOf(committed));
  await until('60 events to be committed', () => outbox.kept.length === 0);
  await system.stop();
  const unread = stories(10);
  await outbox.append(eventsOf(unread));
  assert.equal(outbox.kept.length, 40);
  await system.nats.restore(older);

  const meanwhile = stories(20);
  await outbox.append(eventsOf(meanwhile));
  await system.start();
  await until('everything to be committed', () => outbox.kept.length === 0);
  const { alarms } = await system.json<Health>('/health');
  assert.equal(alarms[0]?.detail.cause, 'id-mismatch');
  await assertComplete(system, subscriptionId, [...committed, ...unread, ...meanwhile]);
});

const streamIds = async ({ bus }: TestMetadata): Promise<Set<string>> => {
  const { firstSequence, lastSequence } = await bus.events.info();
  const ids = new Set<string>();
  for (let at = firstSequence; at <= lastSequence; at += 1) {
    const event = await bus.events.at(at);
    if (event) ids.add(event.raw.id);
  }

  return ids;
};
