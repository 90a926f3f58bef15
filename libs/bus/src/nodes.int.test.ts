import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { startNats, waitFor } from '@reelstream/testing';
import type { TestNats } from '@reelstream/testing';
import { connectBus } from './bus.ts';
import { announceNode, watchNodes } from './nodes.ts';
import type { Bus, NodeWatch } from './types.ts';

let nats: TestNats;
let observer: Bus;
let node: Bus;

before(async () => {
  nats = await startNats();
  observer = await connectBus({ url: nats.url, name: 'observer' });
  node = await connectBus({ url: nats.url, name: 'node' });
});

after(async () => {
  await observer[Symbol.asyncDispose]();
  await node[Symbol.asyncDispose]();
  await nats[Symbol.asyncDispose]();
});

const heartbeat = (nodeId: string) => () => ({
  nodeId,
  role: 'capture' as const,
  epoch: 1,
  pid: process.pid,
  host: 'host',
  address: '127.0.0.1',
  advertise: [],
  state: 'ready' as const,
  load: 0,
  reserved: 0,
  capacity: 400,
});

const alive = (watch: NodeWatch): string[] =>
  watch.nodes().flatMap((watched) => (watched.alive ? [watched.heartbeat.nodeId] : []));

const until = (probe: () => boolean, describe: string): Promise<true> =>
  waitFor(() => (probe() ? true : undefined), { deadlineMs: 30_000, describe });

test('a node that falls silent is lost within five seconds, the others are not', async () => {
  const watch = watchNodes(observer);
  const lost: string[] = [];
  watch.onLost(({ heartbeat: { nodeId } }) => lost.push(nodeId));
  const stops = ['a', 'b'].map((nodeId) => announceNode(node, heartbeat(nodeId)));
  observer.publish('hb.c', { nodeId: 'c' });
  await until(() => alive(watch).length === 2, 'both nodes');

  const silentFrom = performance.now();
  stops[0]?.();
  await until(() => lost.length > 0, 'the loss');

  const took = performance.now() - silentFrom;
  assert.deepEqual(lost, ['a']);
  assert.deepEqual(alive(watch), ['b']);
  assert.ok(took > 1_900 && took < 5_000, `${took} ms`);
  stops[1]?.();
  watch.stop();
});

test('while the bus is away longer than three seconds, no node is lost', async () => {
  const watch = watchNodes(observer);
  const lost: string[] = [];
  watch.onLost(({ heartbeat: { nodeId } }) => lost.push(nodeId));
  const stop = announceNode(node, heartbeat('a'));
  await until(() => alive(watch).length === 1, 'the node');

  await nats.kill();
  await sleep(3_500);
  assert.deepEqual(alive(watch), ['a']);
  await nats.restart();
  await until(() => (watch.nodes()[0]?.silentMs ?? 0) > 300, 'silence that counts again');

  assert.deepEqual([lost, alive(watch)], [[], ['a']]);
  stop();
  watch.stop();
});

test('whoever listens hears every heartbeat that counts: none of an older life, nor what is no heartbeat', async () => {
  const watch = watchNodes(observer);
  const epochs: number[] = [];
  watch.onHeard(({ nodeId, epoch }) => nodeId === 'a' && epochs.push(epoch));
  const said = heartbeat('a')();
  const say = (epoch: number | string): void => node.publish('hb.a', { ...said, epoch });
  // The server may hear of the other connection's subscription only after the first of them.
  await until(() => (say(2), epochs.includes(2)), 'the first');
  for (const epoch of [1, 'none', 3]) say(epoch);
  await until(() => epochs.includes(3), 'the last');

  assert.deepEqual([...new Set(epochs)], [2, 3]);
  watch.stop();
});
