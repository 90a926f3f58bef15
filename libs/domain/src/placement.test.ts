import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Heartbeat } from '@reelstream/events';
import { hashText, mixHashes } from './hash.ts';
import { placeCall, weightOf } from './placement.ts';

const node = (nodeId: string, changes: Partial<Heartbeat> = {}): Heartbeat => ({
  nodeId,
  role: 'capture',
  epoch: 1,
  pid: 1,
  host: nodeId,
  address: '127.0.0.1',
  advertise: [],
  state: 'ready',
  load: 0,
  reserved: 0,
  capacity: 400,
  ...changes,
});

const many = (count: number): Heartbeat[] =>
  Array.from({ length: count }, (_, index) => node(`capture-${index}`));

test('the same key and view give the same list, of three at most', () => {
  const request = { nodes: many(10), key: 'call-1', weight: 2 };
  const { homes } = placeCall(request);
  assert.equal(homes.length, 3);
  assert.equal(new Set(homes).size, 3);
  assert.deepEqual(placeCall({ ...request, nodes: request.nodes.toReversed() }).homes, homes);
});

test('of the nodes drawn the less loaded comes first', () => {
  const nodes = many(10);
  const [first, second] = placeCall({ nodes, key: 'k', weight: 2 }).homes;
  const loaded = nodes.map((each) => (each.nodeId === first ? { ...each, load: 10 } : each));
  assert.equal(placeCall({ nodes: loaded, key: 'k', weight: 2 }).homes[0], second);
});

test('no call goes to a node that drains, is full, short of disk, or away', () => {
  const nodes = [
    node('a', { state: 'draining' }),
    node('b', { load: 300, reserved: 99 }),
    node('c', { storage: { level: 'CRITICAL', usedPercent: 92 } }),
    node('d', { state: 'impaired' }),
    node('e'),
  ];
  for (let call = 0; call < 100; call += 1)
    assert.deepEqual(placeCall({ nodes, key: `call-${call}`, weight: 2 }).homes, ['e']);
  assert.deepEqual(placeCall({ nodes, key: 'k', weight: 2, exclude: ['e'] }), {
    homes: [],
    refusal: 'no-capacity',
  });
  assert.deepEqual(placeCall({ nodes: [], key: 'k', weight: 2 }), { homes: [], refusal: 'no-node' });
  assert.deepEqual(placeCall({ nodes: nodes.slice(0, 1), key: 'k', weight: 2 }), {
    homes: [],
    refusal: 'draining',
  });
});

test('calls spread in proportion to capacity', () => {
  const nodes = [...many(4), node('big', { capacity: 1_600 })];
  const load = new Map(nodes.map(({ nodeId }) => [nodeId, 0]));
  for (let call = 0; call < 2_000; call += 1) {
    const view = nodes.map((each) => ({
      ...each,
      load: Math.min(load.get(each.nodeId) ?? 0, each.capacity - 1),
    }));
    const home = placeCall({ nodes: view, key: `call-${call}`, weight: 1 }).homes[0] ?? '';
    load.set(home, (load.get(home) ?? 0) + 1);
  }
  assert.ok((load.get('big') ?? 0) > 850 && (load.get('big') ?? 0) < 1_150, String(load.get('big')));
  for (const { nodeId } of many(4)) assert.ok((load.get(nodeId) ?? 0) > 180 && (load.get(nodeId) ?? 0) < 320);
});

test('a video track weighs nine audio streams', () => {
  assert.equal(weightOf(['audio', 'audio']), 2);
  assert.equal(weightOf(['audio', 'video']), 10);
});

test('a heavy call goes where there is room for another like it', () => {
  const nodes = [node('small', { capacity: 200, load: 138 }), node('large', { capacity: 800, load: 560 })];
  for (let call = 0; call < 50; call += 1) {
    assert.equal(placeCall({ nodes, key: `call-${call}`, weight: 10 }).homes[0], 'large');
  }
});

for (const full of [0, 50, 90, 98])
  test(`the draw finds what a look at every lot would find, where ${full} % of the nodes are full`, () => {
    const nodes = Array.from({ length: 400 }, (_, index) => {
      const capacity = [200, 400, 3_200][index % 3] ?? 0;

      return node(`capture-${index}`, {
        capacity,
        load: (index * 37) % 100 < full ? capacity : 0,
        state: index % 5 === 0 ? 'draining' : 'ready',
      });
    });
    const uniform = (key: string, { nodeId }: Heartbeat) =>
      (mixHashes(hashText(key), hashText(nodeId)) + 0.5) / 0x1_0000_0000;
    for (let call = 0; call < 200; call += 1) {
      const key = `call-${call}`;
      const drawn = nodes
        .filter(({ state, load }) => state === 'ready' && load === 0)
        .toSorted(
          (left, right) =>
            Math.log(uniform(key, right)) / right.capacity - Math.log(uniform(key, left)) / left.capacity,
        )
        .slice(0, 6)
        .toSorted((left, right) => right.capacity - left.capacity)
        .slice(0, 3);
      assert.ok(drawn.length > 0);
      assert.deepEqual(
        placeCall({ nodes, key, weight: 1 }).homes,
        drawn.map(({ nodeId }) => nodeId),
      );
    }
  });

test('a node that goes away moves only its own calls', () => {
  const nodes = many(20);
  for (let call = 0; call < 200; call += 1) {
    const key = `call-${call}`;
    const [home = ''] = placeCall({ nodes, key, weight: 1 }).homes;
    const away = home === 'capture-0' ? 'capture-1' : 'capture-0';
    const rest = nodes.filter(({ nodeId }) => nodeId !== away);
    assert.equal(placeCall({ nodes: rest, key, weight: 1 }).homes[0], home);
  }
});
