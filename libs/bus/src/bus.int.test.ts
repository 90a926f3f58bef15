import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { connect } from '@nats-io/transport-node';
import { freePort, startNats, waitFor } from '@reelstream/testing';
import type { TestNats } from '@reelstream/testing';
import { connectBus } from './bus.ts';
import { nodeStopped } from './test-support/events.ts';
import type { Bus } from './types.ts';

let nats: TestNats;
let bus: Bus;
const counted: string[] = [];

before(async () => {
  nats = await startNats();
  bus = await connectBus({ url: nats.url, name: 'test', meters: { count: (name) => counted.push(name) } });
  await bus.events.ensure();
});

after(async () => {
  await bus[Symbol.asyncDispose]();
  await nats[Symbol.asyncDispose]();
});

const seen = <T>(probe: () => T | undefined, describe: string): Promise<T> =>
  waitFor(probe, { deadlineMs: 30_000, describe });

test('a request is answered with JSON', async () => {
  const end = bus.subscribe('cmd.a', ({ data, reply }) => reply({ heard: data }));

  assert.deepEqual(await bus.request('cmd.a', { stop: 1 }, 1_000), { heard: { stop: 1 } });
  end();
  await assert.rejects(bus.request('cmd.a', {}, 1_000), { code: 'BUS_NO_RESPONDER' });
});

test('a request that is heard and not answered times out', async () => {
  const end = bus.subscribe('cmd.mute', () => undefined);
  await assert.rejects(bus.request('cmd.mute', {}, 50), { code: 'BUS_TIMEOUT' });
  end();
});

test('a message that is no JSON and a handler that fails are counted, and harm nothing else', async () => {
  const heard: unknown[] = [];
  const end = bus.subscribe('plain.*', async ({ data }) => {
    if (data === 'fail') throw new Error('on purpose');
    heard.push(data);
  });
  const stranger = await connect({ servers: nats.url });
  stranger.publish('plain.x', '{');
  await stranger.drain();
  bus.publish('plain.x', 'fail');
  bus.publish('plain.x', { fine: true });

  await seen(() => heard[0], 'the good message');
  assert.deepEqual(heard, [{ fine: true }]);
  await seen(() => counted[1], 'both counts');
  assert.deepEqual(counted.toSorted(), ['bus.handler-failed', 'bus.malformed']);
  end();
});

test('a bus without a server waits for one, and its subscriptions wait with it', async () => {
  const port = await freePort();
  await using lonely = await connectBus({ url: `nats://127.0.0.1:${port},${nats.url}`, name: 'lonely' });
  assert.equal(lonely.connected, false);
  const heard: unknown[] = [];
  lonely.subscribe('late', ({ data }) => void heard.push(data));
  await seen(() => (lonely.connected ? true : undefined), 'the connection');
  await lonely.events.info();
  bus.publish('late', 1);
  await seen(() => heard[0], 'the message');
});

test('a bus that never met a server can be closed, and what waits for it ends', async () => {
  const lonely = await connectBus({ url: `nats://127.0.0.1:${await freePort()}`, name: 'lonely' });
  const waiting = assert.rejects(lonely.events.appendShared(nodeStopped()), { code: 'BUS_CLOSED' });
  await assert.rejects(lonely.request('x', {}, 1_000), { code: 'BUS_NO_RESPONDER' });
  lonely.publish('x', 1);
  await lonely[Symbol.asyncDispose]();
  await waiting;
});

test('a server that goes and comes is told, and plain messages flow again', async () => {
  const changes: boolean[] = [];
  const end = bus.onConnection((connected) => changes.push(connected));
  const heard: unknown[] = [];
  const endHearing = bus.subscribe('again', ({ data }) => void heard.push(data));
  await nats.kill();
  await seen(() => (bus.connected ? undefined : true), 'the break');
  await nats.restart();
  await seen(() => (bus.connected ? true : undefined), 'the return');
  bus.publish('again', 'hello');
  await seen(() => heard[0], 'the message');
  assert.deepEqual(changes, [false, true]);
  end();
  endHearing();
});

test('a bucket keeps values, tells changes, and lets one of two claim a key', async () => {
  const bucket = await bus.kv('claims');
  const changes: string[] = [];
  await bucket.put('there', { home: 'a' });
  const end = await bucket.watch((key, value) => changes.push(`${key}=${JSON.stringify(value)}`));
  const claims = await Promise.all([bucket.create('call', 'a'), bucket.create('call', 'b')]);

  assert.deepEqual([claims.includes(true), claims.includes(false)], [true, true]);
  assert.deepEqual(await bucket.get('there'), { home: 'a' });
  assert.equal(await bucket.get('nothing'), undefined);
  await bucket.delete('there');
  assert.equal(await bucket.get('there'), undefined);
  assert.equal(await bucket.create('there', 2), true);
  await seen(() => (changes.includes('there=2') ? true : undefined), 'the change');
  assert.ok(changes.includes('there={"home":"a"}') && changes.includes('there=undefined'));

  await nats.kill();
  await seen(() => (bus.connected ? undefined : true), 'the break');
  await assert.rejects(bucket.get('there'), { code: 'BUS_NO_RESPONDER' });
  await nats.restart();
  await seen(() => (bus.connected ? true : undefined), 'the return');
  await waitFor(
    () =>
      bucket.put('later', 3).then(
        () => true,
        () => undefined,
      ),
    { deadlineMs: 30_000, describe: 'put' },
  );
  await seen(() => (changes.includes('later=3') ? true : undefined), 'the change after the return');
  end();
});

test('a bucket forgets its entries at the age it was given', async () => {
  const bucket = await bus.kv('brief', { maxAgeMs: 200 });
  // Asked for by several at once, it is made once.
  assert.deepEqual(
    (await Promise.all([bucket.create('a', 1), bucket.create('a', 2), bucket.create('a', 3)])).filter(Boolean)
      .length,
    1,
  );
  await waitFor(async () => ((await bucket.get('a')) === undefined ? true : undefined), {
    deadlineMs: 30_000,
    describe: 'the entry stays',
  });
  assert.equal(await bucket.create('a', 4), true);
});

test('a stream that was lost with its store is made again', async () => {
  await using wiped = await startNats();
  const empty = await wiped.snapshot();
  await using other = await connectBus({ url: wiped.url, name: 'other' });
  await other.events.ensure();
  await other.events.appendShared(nodeStopped());
  const reader = other.events.read({ after: 0, signal: AbortSignal.timeout(10_000) })[Symbol.asyncIterator]();
  const one = await reader.next();
  assert.equal(one.done === true ? undefined : one.value.through, 1);
  const lost = assert.rejects(reader.next(), { code: 'BUS_SEQUENCE_LOST', loss: 'tail-lost' });
  await wiped.restore(empty);

  await lost;
  assert.deepEqual(await other.events.appendShared(nodeStopped()), { sequence: 1 });
});
