import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, beforeEach, test } from 'node:test';
import { startPostgres } from '@reelstream/testing';
import type { TestPostgres } from '@reelstream/testing';
import { sql } from 'kysely';
import { claimDeliveries, deferBlocked, recordDelivered, recordFailed, releaseClaims } from './deliveries.ts';
import type { ClaimOptions } from './deliveries.ts';
import { openStore } from './store.ts';
import type { Store } from './store.ts';

const claimant = { nodeId: 'publisher-1', life: 'a' };

let postgres: TestPostgres;
let store: Store;

before(async () => {
  postgres = await startPostgres();
  store = openStore(postgres.url);
  await store.migrate();
});

after(async () => {
  await store.close();
  await postgres[Symbol.asyncDispose]();
});

beforeEach(async () => {
  await sql`truncate delivery, subscription`.execute(store.db);
});

const subscribe = async (): Promise<string> => {
  const subscription_id = randomUUID();
  await store.db
    .insertInto('subscription')
    .values({ subscription_id, url: 'http://x', types: [], encrypted_secret: 's', created_at: new Date() })
    .execute();

  return subscription_id;
};

/** One row for each session named, in this order. */
const enqueue = async (subscription_id: string, ...sessions: readonly string[]): Promise<void> => {
  const rows = sessions.map((session_key, index) => ({
    subscription_id,
    session_key,
    sequence: index + 1,
    event_id: randomUUID(),
    body: `${session_key} ${index + 1}`,
  }));
  await store.db.insertInto('delivery').values(rows).execute();
};

const claim = (options: Partial<ClaimOptions> = {}) =>
  claimDeliveries(store.db, {
    claimant,
    leaseMs: 30_000,
    slots: 100,
    taken: new Map(),
    kind: 'first',
    ...options,
  });

const bodies = (claimed: Awaited<ReturnType<typeof claim>>): string[] =>
  claimed.map(({ body }) => body).toSorted();

test('only the first undelivered of each session is claimed, and only once', async () => {
  await enqueue(await subscribe(), 'a', 'a', 'b', 'a', 'b');

  const first = await claim();
  assert.deepEqual(bodies(first), ['a 1', 'b 3']);
  assert.deepEqual(bodies(await claim()), []);

  const arrived = first.map(({ deliveryId }) => deliveryId);
  await recordDelivered(store.db, arrived);
  assert.deepEqual(bodies(await claim()), ['a 2', 'b 5']);
});

test('any number of publishers share the rows without overlap', async () => {
  const sessions = Array.from({ length: 60 }, (_, index) => `s${index}`);
  await enqueue(await subscribe(), ...sessions);

  const claims = await Promise.all(
    ['a', 'b', 'c', 'd'].map((life) => claim({ claimant: { nodeId: 'publisher-1', life }, slots: 20 })),
  );

  const ids = claims.flat().map(({ deliveryId }) => deliveryId);
  assert.equal(new Set(ids).size, ids.length);
});

test('a subscription gets no more than its free slots', async () => {
  const [one, two] = [await subscribe(), await subscribe()];
  await enqueue(one, 'a', 'b', 'c');
  await enqueue(two, 'd', 'e', 'f');

  const claimed = await claim({ slots: 2, taken: new Map([[one, 2]]) });

  assert.deepEqual(bodies(claimed), ['d 1', 'e 2']);
});

test('a failed delivery holds back its session only, until it is due again', async () => {
  await enqueue(await subscribe(), 'a', 'b', 'a', 'b');
  const [a, b] = (await claim()).toSorted((one, other) => one.sequence - other.sequence);
  await recordFailed(store.db, { deliveryId: a!.deliveryId, claimant, error: 'HTTP 500', retryInMs: 60_000 });
  await recordDelivered(store.db, [b!.deliveryId]);

  assert.deepEqual(bodies(await claim()), ['b 4']);
  assert.deepEqual(bodies(await claim({ kind: 'repeat' })), []);

  await sql`update delivery set next_attempt_at = now() where body = 'a 1'`.execute(store.db);
  const [repeat] = await claim({ kind: 'repeat' });
  assert.deepEqual([repeat?.body, repeat?.attempts], ['a 1', 2]);
});

test('what waits for an earlier one is put off with it, and brought forward when that arrives', async () => {
  await enqueue(await subscribe(), 'a', 'a', 'b', 'b');
  const [a, b] = (await claim()).toSorted((one, other) => one.sequence - other.sequence);
  await recordFailed(store.db, { deliveryId: a!.deliveryId, claimant, error: 'HTTP 500', retryInMs: 60_000 });
  await deferBlocked(store.db);

  const due = await sql<{ body: string }>`
    select body from delivery where state = 'pending' and next_attempt_at <= now() order by sequence`.execute(
    store.db,
  );
  assert.deepEqual(
    due.rows.map(({ body }) => body),
    [b!.body, 'b 4'],
  );
  await recordDelivered(store.db, [a!.deliveryId]);
  assert.deepEqual(bodies(await claim()), ['a 2']);
});

test('a parked delivery holds back its session', async () => {
  await enqueue(await subscribe(), 'a', 'a', 'b');
  const [a] = (await claim()).filter(({ sessionKey }) => sessionKey === 'a');
  await recordFailed(store.db, {
    deliveryId: a!.deliveryId,
    claimant,
    error: 'HTTP 410',
    retryInMs: undefined,
  });
  await deferBlocked(store.db);

  assert.deepEqual(bodies(await claim()), []);
  const { state, last_error } = await store.db
    .selectFrom('delivery')
    .select(['state', 'last_error'])
    .where('delivery_id', '=', a!.deliveryId)
    .executeTakeFirstOrThrow();
  assert.deepEqual([state, last_error], ['parked', 'HTTP 410']);
});

test('a claim that ran out is claimed again and can no longer fail, only arrive', async () => {
  await enqueue(await subscribe(), 'a');
  const [lost] = await claim({ leaseMs: 0 });
  const other = { nodeId: 'publisher-2', life: 'b' };
  const [taken] = await claim({ claimant: other, kind: 'repeat' });
  assert.deepEqual([taken?.deliveryId, taken?.attempts], [lost?.deliveryId, 2]);

  await recordFailed(store.db, {
    deliveryId: lost!.deliveryId,
    claimant,
    error: 'late',
    retryInMs: undefined,
  });
  const after = await store.db.selectFrom('delivery').selectAll().executeTakeFirstOrThrow();
  assert.deepEqual([after.state, after.claimed_by], ['pending', 'publisher-2/b']);

  await recordDelivered(store.db, [lost!.deliveryId]);
  assert.deepEqual(bodies(await claim({ kind: 'repeat' })), []);
});

test('a restarted publisher gives up the claims of its earlier life, and no others', async () => {
  await enqueue(await subscribe(), 'a', 'b');
  await claim({ slots: 1 });
  await claim({ slots: 1, claimant: { nodeId: 'publisher-10', life: 'x' } });

  await releaseClaims(store.db, { ...claimant, life: 'next' }, 'earlier-lives');

  assert.deepEqual(bodies(await claim({ kind: 'repeat' })), ['a 1']);
  await releaseClaims(store.db, claimant, 'this-life');
  assert.deepEqual(bodies(await claim({ kind: 'repeat' })), ['a 1']);
});

test('deliveries of a deleted subscription rest', async () => {
  const subscription = await subscribe();
  await enqueue(subscription, 'a');
  await store.db.updateTable('subscription').set({ deleted_at: new Date() }).execute();

  assert.deepEqual(bodies(await claim()), []);
});
