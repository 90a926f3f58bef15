import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Heartbeat } from '@reelstream/events';
import { bibPairingKey, bibTrackNumber, placeByKey } from './pairing.ts';
import { PlacementView } from './placement-view.ts';

const near = { nearEndClusterId: undefined, refCi: '123', nearEndDevice: 'SEP001122' };

const node = (nodeId: string, rest: Partial<Heartbeat> = {}): Heartbeat => ({
  nodeId,
  role: 'capture',
  epoch: 1,
  pid: 1,
  host: 'box',
  address: '127.0.0.1',
  advertise: [],
  state: 'ready',
  load: 0,
  reserved: 0,
  capacity: 400,
  ...rest,
});

test('both legs of a built-in-bridge call have one pairing key, whatever the case of the device', () => {
  assert.equal(
    bibPairingKey(near, 'profile'),
    bibPairingKey({ ...near, nearEndDevice: 'sep001122' }, 'profile'),
  );
  assert.notEqual(bibPairingKey(near, 'a'), bibPairingKey(near, 'b'));
});

test('where the legs name their cluster, it does not matter who sends them', () => {
  const named = { ...near, nearEndClusterId: 'berlin' };
  assert.equal(bibPairingKey(named, '192.0.2.1'), bibPairingKey(named, '192.0.2.2'));
});

test('a leg that does not say of which call it is, or makes up ids, can not be paired', () => {
  assert.equal(bibPairingKey({ ...near, refCi: '' }, 'a'), undefined);
  assert.equal(bibPairingKey({ ...near, refCi: '1'.repeat(1_000) }, 'a'), undefined);
});

test('track 0 is what the forking phone sends, track 1 what it hears', () => {
  assert.deepEqual([bibTrackNumber({ side: 'near' }), bibTrackNumber({ side: 'far' })], [0, 1]);
});

test('by key alone, pilots that see other loads choose the same homes', () => {
  const ids = ['a', 'b', 'c', 'd', 'e'];
  const first = new Set<string | undefined>();
  for (let call = 0; call < 200; call += 1) {
    const key = `call-${call}`;
    const one = placeByKey(PlacementView.of(ids.map((id, index) => node(id, { load: index * 90 }))), {
      key,
      weight: 2,
    });
    const busy = PlacementView.of(ids.map((id) => node(id, { reserved: call })));
    for (const id of ids) busy.reserved(id, key, 300);
    const other = placeByKey(busy, { key, weight: 2 });
    assert.deepEqual(one, other);
    first.add(one.homes[0]);
  }
  assert.equal(first.size, ids.length);
});

test('by key alone, full and draining nodes are left out all the same, and what is wrong is said', () => {
  const nodes = [node('full', { load: 399 }), node('leaving', { state: 'draining' }), node('able')];
  assert.deepEqual(placeByKey(PlacementView.of(nodes), { key: 'k', weight: 2 }).homes, ['able']);
  assert.equal(
    placeByKey(PlacementView.of(nodes.slice(0, 1)), { key: 'k', weight: 2 }).refusal,
    'no-capacity',
  );
});
