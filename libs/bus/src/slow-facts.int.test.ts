import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startNats, waitFor } from '@reelstream/testing';
import type { TestNats } from '@reelstream/testing';
import { connectBus } from './bus.ts';
import { readSlowFact, watchSlowFacts } from './slow-facts.ts';
import type { Bus } from './types.ts';

let nats: TestNats;
let bus: Bus;

before(async () => {
  nats = await startNats();
  bus = await connectBus({ url: nats.url, name: 'test' });
  await seen('the connection', () => bus.connected);
});

after(async () => {
  await bus[Symbol.asyncDispose]();
  await nats[Symbol.asyncDispose]();
});

const fact = (sequence: number, value: unknown) => ({ server: 'primary', generation: 1, sequence, value });
const seen = (describe: string, look: () => boolean): Promise<boolean> =>
  waitFor(() => look() || undefined, { deadlineMs: 30_000, describe });

test('a view begins with what is there, follows changes, and lets nothing older in', async () => {
  const bucket = await bus.kv('rules');
  await bucket.put('a', fact(5, 'five'));
  await bucket.put('gone', fact(6, null));
  await bucket.put('rubbish', { value: 1 });
  const view = await watchSlowFacts(bus, 'rules', { loadLimitMs: 10_000 });
  assert.deepEqual([...view.current()], [['a', 'five']]);

  await bucket.put('a', fact(4, 'four'));
  await bucket.put('b', fact(7, 'seven'));
  await seen('b', () => view.current().get('b') === 'seven');
  assert.equal(view.current().get('a'), 'five');
  await bucket.put('b', fact(8, null));
  await seen('the end of b', () => !view.current().has('b'));
  // A bucket that lost its entries says nothing about them.
  await bucket.delete('a');
  await bucket.put('c', fact(9, 'nine'));
  await seen('c', () => view.current().has('c'));
  assert.equal(view.current().get('a'), 'five');
  view.stop();
});

test('a view stays while the bus is away, and goes on after it', async () => {
  const bucket = await bus.kv('drains');
  await bucket.put('a', fact(1, 'one'));
  const view = await watchSlowFacts(bus, 'drains', { loadLimitMs: 10_000 });
  await nats.kill();
  await seen('the break', () => !bus.connected);
  assert.equal(view.current().get('a'), 'one');
  const late = await watchSlowFacts(bus, 'drains', { loadLimitMs: 100 });
  assert.equal(late.current().size, 0);
  await nats.restart();
  await seen('the return', () => late.current().get('a') === 'one');
  await bucket.put('a', fact(2, 'two'));
  await seen('the change', () => view.current().get('a') === 'two' && late.current().get('a') === 'two');
  view.stop();
  late.stop();
});

test('what is no slow fact is read as nothing', () => {
  for (const value of [undefined, null, 7, {}, fact(-1, null)]) assert.equal(readSlowFact(value), undefined);
  assert.deepEqual(readSlowFact(fact(1, null)), fact(1, null));
});
