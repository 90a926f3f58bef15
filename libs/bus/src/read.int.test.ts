import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { startNats, waitFor } from '@reelstream/testing';
import type { TestNats } from '@reelstream/testing';
import { connect } from '@nats-io/transport-node';
import { connectBus } from './bus.ts';
import { findCommonPosition } from './common-position.ts';
import { BusError } from './errors.ts';
import { nodeStopped } from './test-support/events.ts';
import { Relay } from './test-support/relay.ts';
import type { Batch, Bus } from './types.ts';

let nats: TestNats;
let bus: Bus;
let reading: AbortController;

before(async () => {
  nats = await startNats();
  bus = await connectBus({ url: nats.url, name: 'test' });
  await bus.events.ensure();
});

after(async () => {
  await bus[Symbol.asyncDispose]();
  await nats[Symbol.asyncDispose]();
});

beforeEach(() => {
  reading = new AbortController();
});

afterEach(() => reading.abort());

const append = async (count: number): Promise<string[]> => {
  const ids: string[] = [];
  for (let n = 0; n < count; n += 1) {
    const fact = nodeStopped();
    await bus.events.appendShared(fact);
    ids.push(fact.id);
  }

  return ids;
};

/** Reads in the background: what came, and how it ended. */
const readAfter = (
  from: number,
  options: { by?: Bus; anchor?: { sequence: number; id: string }; maxEvents?: number } = {},
) => {
  const batches: Batch[] = [];
  const ended = (async (): Promise<unknown> => {
    const { by = bus, ...rest } = options;
    try {
      for await (const batch of by.events.read({ after: from, signal: reading.signal, ...rest }))
        batches.push(batch);

      return undefined;
    } catch (error) {
      return error;
    }
  })();
  const ids = (): string[] => batches.flatMap((batch) => batch.events.map(({ raw }) => raw.id));

  return { batches, ids, ended };
};

const have = (reader: { ids(): string[] }, count: number): Promise<true> =>
  waitFor(() => (reader.ids().length >= count ? true : undefined), {
    deadlineMs: 30_000,
    describe: () => `${reader.ids().length} of ${count} events were read`,
  });

test('what is there comes in batches, what follows comes at once', async () => {
  const { lastSequence } = await bus.events.info();
  const ids = await append(120);
  const reader = readAfter(lastSequence, { maxEvents: 50 });
  await have(reader, 120);

  assert.deepEqual(reader.ids(), ids);
  assert.ok(reader.batches.every((batch) => batch.events.length <= 50));
  assert.ok(reader.batches.length < 60, `${reader.batches.length} batches`);
  assert.equal(reader.batches.at(-1)?.pending, 0);

  const delays: number[] = [];
  for (let n = 1; n <= 20; n += 1) {
    await append(1);
    const appended = performance.now();
    await have(reader, 120 + n);
    delays.push(performance.now() - appended);
  }
  assert.ok(delays.toSorted((a, b) => a - b)[10]! < 50, `median of ${delays.join()} ms`);
  reading.abort();
  assert.equal(await reader.ended, undefined);
});

test('reading rides out a crash of the server and a break of the connection', async () => {
  await using relay = await Relay.before(nats.url);
  await using far = await connectBus({ url: relay.url, name: 'far' });
  const { lastSequence } = await bus.events.info();
  const reader = readAfter(lastSequence, { by: far });
  const ids = await append(10);
  await have(reader, 10);

  await nats.kill();
  await nats.restart();
  ids.push(...(await append(10)));
  await have(reader, 20);

  relay.cut();
  ids.push(...(await append(10)));
  relay.reopen();
  await have(reader, 30);

  assert.deepEqual(reader.ids(), ids);
});

test('what is no event is told with its reason, what is newer than we are comes unexplained', async () => {
  const { lastSequence } = await bus.events.info();
  const stranger = await connect({ servers: nats.url });
  const newer = { ...nodeStopped(), type: 'node.transcended', schema: 7 };
  const texts = [
    'no json',
    '{"id":1}',
    JSON.stringify({ ...nodeStopped(), time: 'noon' }),
    JSON.stringify(newer),
  ];
  for (const text of texts) await stranger.request('ev.node.stranger', text);
  await stranger.close();
  const [id] = await append(1);
  const reader = readAfter(lastSequence);
  await have(reader, 2);

  const invalid = reader.batches.flatMap((batch) => batch.invalid);
  assert.deepEqual(
    invalid.map(({ sequence, text }) => [sequence - lastSequence, text]),
    texts.slice(0, 3).map((text, index) => [index + 1, text]),
  );
  assert.ok(invalid.every(({ reason }) => reason.length > 0));
  const [unknown, known] = reader.batches.flatMap((batch) => batch.events);
  assert.deepEqual([unknown?.event, unknown?.raw], [undefined, newer]);
  assert.equal(known?.event?.id, id);
  assert.equal(reader.batches.at(-1)?.through, lastSequence + 5);
});

test('a stream put back to an older store is noticed, and the last common event found', async () => {
  const { lastSequence } = await bus.events.info();
  await append(40);
  const store = await nats.snapshot();
  await append(100);
  const reader = readAfter(lastSequence);
  await have(reader, 140);
  const read = new Map(
    reader.batches.flatMap(({ events }) => events.map(({ sequence, raw }) => [sequence, raw.id])),
  );
  await nats.restore(store);

  const error = await reader.ended;
  assert.ok(error instanceof BusError);
  assert.deepEqual([error.code, error.loss], ['BUS_SEQUENCE_LOST', 'tail-lost']);
  const stored = async (sequence: number) => read.get(sequence);
  const from = lastSequence + 140;
  assert.equal(await findCommonPosition({ stored, log: bus.events, from }), lastSequence + 40);

  await append(130);
  const longer = await readAfter(from, { anchor: { sequence: from, id: read.get(from)! } }).ended;
  assert.ok(longer instanceof BusError);
  assert.equal(longer.loss, 'id-mismatch');
  assert.equal(await findCommonPosition({ stored, log: bus.events, from }), lastSequence + 40);
  const sparse = async (sequence: number) => (sequence % 3 === 0 ? read.get(sequence) : undefined);
  const common = await findCommonPosition({ stored: sparse, log: bus.events, from });
  assert.ok(common > lastSequence + 37 && common <= lastSequence + 40, `${common - lastSequence}`);
  assert.equal(await findCommonPosition({ stored: async () => undefined, log: bus.events, from }), 0);
});

test('a stream that aged past what must follow is a gap', async () => {
  await using small = await connectBus({ url: nats.url, name: 'small', maxBytes: 60_000 });
  await small.events.ensure();
  await append(300);
  const { firstSequence } = await small.events.info();
  assert.ok(firstSequence > 2);

  const error = await readAfter(firstSequence - 2).ended;

  assert.ok(error instanceof BusError);
  assert.equal(error.loss, 'gap');
  const reader = readAfter(firstSequence - 1);
  await have(reader, 1);
  assert.equal(reader.batches[0]?.events[0]?.sequence, firstSequence);
});
