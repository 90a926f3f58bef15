import assert from 'node:assert/strict';
import { test } from 'node:test';
import { familyOf, freshId, mintEvent } from '@reelstream/events';
import type { DomainEvent, EventOf, WebhookBody } from '@reelstream/events';
import { storyOf } from '../test-support/story.ts';
import { foldBatch } from './fold.ts';
import type { Known, Plan } from './fold.ts';
import type { Incoming } from './incoming.ts';

const nothing: Known = {
  events: new Map(),
  lines: new Map(),
  subscriptions: [],
  deletedSubscriptions: new Map(),
  slowFacts: [],
  annotations: new Map(),
};
const context = { server: 'primary', positionAt: (sequence: number) => `1:${sequence}` };
const at = '2026-11-23T07:00:00.000Z';

const fold = (events: readonly DomainEvent[], known: Partial<Known> = {}): Plan => {
  const batch = events.map((event, index): Incoming => ({
    sequence: index + 1,
    family: familyOf(event.type),
    raw: event,
    event,
  }));

  return foldBatch({ ...nothing, ...known }, batch, context);
};

const fact = (subject: string) => ({
  id: freshId(),
  time: at,
  source: '/local/metadata-1',
  subject,
  origin: 'primary',
  version: 1,
  epoch: 1,
});

const subscribed = (types: string[] = []): EventOf<'subscription.created'> => {
  const subscriptionId = freshId();
  const data = { subscriptionId, url: 'http://a', types, encryptedSecret: 's', createdAt: at };

  return mintEvent({ type: 'subscription.created', ...fact(subscriptionId), data });
};

const unsubscribed = (subscriptionId: string): EventOf<'subscription.deleted'> =>
  mintEvent({
    type: 'subscription.deleted',
    ...fact(subscriptionId),
    data: { subscriptionId, deletedAt: at },
  });

const lost = (nodeId: string, lostEpoch: number): EventOf<'node.lost'> =>
  mintEvent({
    type: 'node.lost',
    ...fact(nodeId),
    data: { nodeId, role: 'capture', lostEpoch, silentForMs: 3_000 },
  });

const bodiesOf = (plan: Plan): WebhookBody[] =>
  plan.deliveries.map(({ body }) => JSON.parse(body) as WebhookBody);

test('a session is written once for a batch, with the effect of all its events', () => {
  const { events, sessionId } = storyOf();
  const { sessions, done, inserted } = fold(events);
  assert.deepEqual(
    sessions.map(({ version }) => version),
    [4],
  );
  assert.equal(sessions[0]?.sessionId, sessionId);
  assert.equal(done.size, 4);
  assert.equal(inserted.length, 4);
});

test('an event that is there already has no effect, twice in a batch or from before', () => {
  const { events, started } = storyOf();
  const twice = fold([started, started]);
  assert.equal(twice.inserted.length, 1);
  assert.equal(twice.met.length, 1);
  const known = new Map(events.map(({ id }) => [id, { applied: true }]));
  const again = fold([subscribed(), ...events], { events: known });
  assert.equal(again.sessions.length, 0);
  assert.equal(again.deliveries.length, 0);
});

test('a subscription gets what comes after it, of the types it wants, numbered without gaps', () => {
  const early = storyOf();
  const { events } = storyOf();
  const plan = fold([early.started, subscribed(['session.ended', 'recording.sealed']), ...events]);
  assert.deepEqual(
    bodiesOf(plan).map(({ type, sequence, position }) => `${type} ${sequence} ${position}`),
    ['session.ended 1 1:5', 'recording.sealed 2 1:6'],
  );
  assert.equal(plan.subscriptions[0]?.nextSequence, 3);
});

test('what the other server generates is applied, and not delivered', () => {
  const plan = fold([subscribed(), ...storyOf({ origin: 'secondary' }).events]);
  assert.equal(plan.sessions.length, 1);
  assert.equal(plan.deliveries.length, 0);
});

test('a deletion wins over a creation, whichever comes first', () => {
  const created = subscribed();
  const deleted = unsubscribed(created.subject);
  for (const order of [
    [created, deleted],
    [deleted, created],
  ]) {
    const plan = fold([...order, storyOf().started]);
    assert.equal(plan.deliveries.length, 0);
    assert.equal(plan.subscriptions[0]?.deletedAt, at);
  }
});

test('the sessions of a lost life are interrupted, those of a later one go on', () => {
  const old = storyOf({ epoch: 1 });
  const later = storyOf({ epoch: 2 });
  const elsewhere = storyOf({ home: 'capture-2' });
  const { sessions, nodes } = fold([old.started, later.started, elsewhere.started, lost('capture-1', 1)]);
  const stateOf = (id: string) => sessions.find(({ sessionId }) => sessionId === id)?.state;
  assert.equal(stateOf(old.sessionId), 'INTERRUPTED');
  assert.equal(stateOf(later.sessionId), 'ACTIVE');
  assert.equal(stateOf(elsewhere.sessionId), 'ACTIVE');
  assert.equal(nodes[0]?.state, 'lost');
});

test('a home that returns moves its interrupted session on', () => {
  const { started, updated } = storyOf({ epoch: 1 });
  const { sessions } = fold([started, lost('capture-1', 1), { ...updated, epoch: 2 }]);
  assert.equal(sessions[0]?.state, 'ACTIVE');
});

test('a gap asks the home of the session, also when not even its beginning is known', () => {
  const { ended, sessionId } = storyOf({ home: 'capture-9' });
  const { gaps, sessions, done } = fold([ended]);
  assert.deepEqual(gaps, [{ sessionId, home: 'capture-9', fromVersion: 1 }]);
  assert.equal(sessions.length, 0);
  assert.equal(done.size, 0);
});
