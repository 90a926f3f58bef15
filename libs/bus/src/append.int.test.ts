import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { startNats } from '@reelstream/testing';
import type { TestNats } from '@reelstream/testing';
import { connectBus } from './bus.ts';
import { nodeStopped, recordingSealed, sessionUpdated } from './test-support/events.ts';
import { Relay } from './test-support/relay.ts';
import type { Bus, EventLog } from './types.ts';

const duplicateWindowMs = 300;

let nats: TestNats;
let bus: Bus;

const open = (url: string, name = 'test'): Promise<Bus> => connectBus({ url, name, duplicateWindowMs });

/** Ids on the stream after `sequence`, in order. */
const idsAfter = async (log: EventLog, sequence: number): Promise<string[]> => {
  const { lastSequence } = await log.info();
  const ids: string[] = [];
  for (let at = sequence + 1; at <= lastSequence; at += 1) ids.push((await log.at(at))?.raw.id ?? 'none');

  return ids;
};

before(async () => {
  nats = await startNats();
  bus = await open(nats.url);
  await bus.events.ensure();
});

after(async () => {
  await bus[Symbol.asyncDispose]();
  await nats[Symbol.asyncDispose]();
});

test('facts of a session are appended in order, over both of its subjects', async () => {
  const session = randomUUID();
  const { lastSequence } = await bus.events.info();
  const facts = [sessionUpdated(session, 1), sessionUpdated(session, 2), recordingSealed(session, 3)];

  for (const fact of facts) assert.equal((await bus.events.appendOwned(fact)).status, 'appended');

  assert.deepEqual(
    await idsAfter(bus.events, lastSequence),
    facts.map(({ id }) => id),
  );
});

test('the events on a subject are found among all others, repeats of them, too', async () => {
  const session = randomUUID();
  const [first, second, sealed] = [
    sessionUpdated(session, 1),
    sessionUpdated(session, 2),
    recordingSealed(session, 3),
  ];
  for (const fact of [first, sessionUpdated(randomUUID(), 1), second, sealed])
    await bus.events.appendOwned(fact);
  await bus.events.republish(first);

  const found = await bus.events.on(`ev.session.${session}`);
  assert.deepEqual(
    found.map(({ raw }) => raw.id),
    [first.id, second.id, first.id],
  );
  assert.deepEqual(await bus.events.on(`ev.session.${randomUUID()}`), []);
});

test('an append whose ack was lost is found stored when it is retried after the duplicate window', async () => {
  await using relay = await Relay.before(nats.url);
  await using far = await open(relay.url);
  const session = randomUUID();
  await far.events.appendOwned(sessionUpdated(session, 1));
  const fact = sessionUpdated(session, 2);
  const { lastSequence } = await bus.events.info();

  const lost = relay.loseAnswerTo(fact.id);
  const outcome = far.events.appendOwned(fact);
  await lost;
  await sleep(3 * duplicateWindowMs);
  relay.reopen();

  assert.deepEqual(await outcome, { status: 'already-stored', sequence: lastSequence + 1 });
  assert.deepEqual(await idsAfter(bus.events, lastSequence), [fact.id]);
});

test('a writer that was restarted and repeats its outbox stores nothing twice', async () => {
  const session = randomUUID();
  const facts = [1, 2, 3].map((version) => sessionUpdated(session, version));
  for (const fact of facts) await bus.events.appendOwned(fact);
  const { lastSequence } = await bus.events.info();
  await sleep(3 * duplicateWindowMs);

  await using restarted = await open(nats.url);
  const next = sessionUpdated(session, 4, 2);
  const outcomes = [];
  for (const fact of [...facts, next]) outcomes.push((await restarted.events.appendOwned(fact)).status);

  assert.deepEqual(outcomes, ['already-stored', 'already-stored', 'already-stored', 'appended']);
  assert.deepEqual(await idsAfter(bus.events, lastSequence), [next.id]);
});

test('a writer of an older life is fenced', async () => {
  const session = randomUUID();
  await using next = await open(nats.url);
  await bus.events.appendOwned(sessionUpdated(session, 1, 4));
  await next.events.appendOwned(sessionUpdated(session, 2, 5));

  assert.deepEqual(await bus.events.appendOwned(sessionUpdated(session, 2, 4)), {
    status: 'fenced',
    byEpoch: 5,
  });
});

test('facts that an older store forgot are appended again, whatever the writer believes', async () => {
  const session = randomUUID();
  await bus.events.appendOwned(sessionUpdated(session, 1));
  const store = await nats.snapshot();
  const forgotten = [sessionUpdated(session, 2), recordingSealed(session, 3)];
  for (const fact of forgotten) await bus.events.appendOwned(fact);
  await nats.restore(store);
  const { lastSequence } = await bus.events.info();

  for (const fact of forgotten) assert.equal((await bus.events.appendOwned(fact)).status, 'appended');

  assert.deepEqual(
    await idsAfter(bus.events, lastSequence),
    forgotten.map(({ id }) => id),
  );
});

test('a fact that a consumer misses can be stored again behind later ones', async () => {
  const session = randomUUID();
  const [first, second] = [sessionUpdated(session, 1), sessionUpdated(session, 2)];
  await bus.events.appendOwned(first);
  await bus.events.appendOwned(second);
  const { lastSequence } = await bus.events.info();

  assert.equal((await bus.events.appendOwned(first)).status, 'already-stored');
  assert.deepEqual(await bus.events.republish(first), { sequence: lastSequence + 1 });
  assert.equal((await bus.events.appendOwned(sessionUpdated(session, 3))).status, 'appended');
});

test('a fact with two writers is stored once', async () => {
  await using other = await open(nats.url, 'other');
  const fact = nodeStopped();
  const { lastSequence } = await bus.events.info();

  const [one, two] = await Promise.all([bus.events.appendShared(fact), other.events.appendShared(fact)]);

  assert.deepEqual([one, two], [{ sequence: lastSequence + 1 }, { sequence: lastSequence + 1 }]);
  assert.deepEqual(await idsAfter(bus.events, lastSequence), [fact.id]);
});

test('an append waits out a server that is away, and ends when told to', async () => {
  await nats.kill();
  const waiting = bus.events.appendOwned(sessionUpdated(randomUUID(), 1));
  await assert.rejects(bus.events.appendShared(nodeStopped(), AbortSignal.timeout(100)), {
    name: 'TimeoutError',
  });
  await nats.restart();

  assert.equal((await waiting).status, 'appended');
});

test('an event that is too large for the server is refused, not retried for ever', async () => {
  const fact = sessionUpdated(randomUUID(), 1);
  const large = { ...fact, data: { ...fact.data, correlation: { ciscoGuid: 'x'.repeat(2_000_000) } } };

  await assert.rejects(bus.events.appendOwned(large), { code: 'BUS_REFUSED' });
});

test('options that the server does not take over are refused by name', async () => {
  await using greedy = await connectBus({ url: nats.url, name: 'greedy', replicas: 3 });
  await assert.rejects(greedy.events.ensure(), { code: 'BUS_REFUSED' });
});

test('several services may ensure the stream at once, and change its options', async () => {
  const services = await Promise.all(['a', 'b', 'c'].map((name) => open(nats.url, name)));
  await Promise.all(services.map((service) => service.events.ensure()));
  await using wider = await connectBus({ url: nats.url, name: 'wider', maxBytes: 3 * 1024 ** 3 });
  await wider.events.ensure();
  for (const service of services) await service[Symbol.asyncDispose]();
});
