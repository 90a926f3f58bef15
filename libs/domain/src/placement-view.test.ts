import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Heartbeat } from '@reelstream/events';
import { PlacementView } from './placement-view.ts';
import { canTake, place } from './placement.ts';

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

const homesOf = (view: PlacementView, key = 'k', weight = 2): readonly string[] =>
  place(view, { key, weight }).homes;

test('what was reserved since the heartbeat counts', () => {
  const view = PlacementView.of([node('a', { load: 390 }), node('b', { load: 200 })]);
  assert.deepEqual(homesOf(view), ['b', 'a']);
  view.reserved('b', 'r1', 195);
  assert.deepEqual(homesOf(view), ['a', 'b']);
  view.reserved('b', 'r2', 4);
  assert.deepEqual(homesOf(view), ['a']);
});

test('the node’s next heartbeat says what was reserved: it counts no more on top', () => {
  const view = PlacementView.of([node('a', { capacity: 4 })]);
  view.reserved('a', 'r1', 3);
  assert.deepEqual(homesOf(view), []);
  view.heard(node('a', { capacity: 4, reserved: 2 }));
  assert.deepEqual(homesOf(view), ['a']);
  view.reserved('a', 'r2', 1);
  assert.deepEqual(homesOf(view), []);
});

test('a reservation counts once, however often it is heard', () => {
  const view = PlacementView.of([node('a', { capacity: 6 })]);
  for (let heard = 0; heard < 3; heard += 1) view.reserved('a', 'r1', 4);
  assert.deepEqual(homesOf(view), ['a']);
  view.reserved('a', 'r2', 1);
  assert.deepEqual(homesOf(view), []);
});

test('a reservation for nothing, for less than nothing, or at a node unheard of changes nothing', () => {
  const view = PlacementView.of([node('a', { capacity: 3 })]);
  view.reserved('a', 'r1', 0);
  view.reserved('a', 'r2', -100);
  view.reserved('a', 'r3', Number.NaN);
  view.reserved('b', 'r4', 1);
  view.reserved('a', 'r5', 2);
  assert.deepEqual(homesOf(view), []);
  assert.equal(view.node('b'), undefined);
});

test('whether one node can take a call is told by all that is known of it', () => {
  const view = PlacementView.of([node('a', { load: 390 }), node('b', { state: 'draining' })]);
  const call = { key: 'k', weight: 2 };
  assert.deepEqual(
    ['a', 'b', 'c'].map((id) => canTake(view, id, call)),
    [true, false, false],
  );
  view.reserved('a', 'r', 9);
  assert.equal(canTake(view, 'a', call), false);
  assert.equal(canTake(view, 'a', { ...call, weight: 0 }), true);
});

/** What messages made of a view, said by the messages alone. */
class Book {
  readonly #nodes = new Map<string, Heartbeat>();
  readonly #reserved = new Map<string, Map<string, number>>();

  heard(heartbeat: Heartbeat): void {
    this.#nodes.set(heartbeat.nodeId, heartbeat);
    this.#reserved.set(heartbeat.nodeId, new Map());
  }

  away(nodeId: string): void {
    this.#nodes.delete(nodeId);
    this.#reserved.delete(nodeId);
  }

  reserved(nodeId: string, id: string, weight: number): void {
    const known = this.#reserved.get(nodeId);
    if (known && !known.has(id)) known.set(id, weight);
  }

  /** Nodes with all that counts in their own figures, in the order of their ids. */
  anew(): PlacementView {
    const nodes = [...this.#nodes.values()].toSorted((one, other) => (one.nodeId < other.nodeId ? -1 : 1));

    return PlacementView.of(
      nodes.map((heartbeat) => {
        const since = [...(this.#reserved.get(heartbeat.nodeId)?.values() ?? [])];

        return { ...heartbeat, reserved: since.reduce((sum, weight) => sum + weight, heartbeat.reserved) };
      }),
    );
  }
}

test('a view kept up message by message decides as one made anew', () => {
  let state = 1;
  const below = (limit: number): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;

    return Math.floor((state / 0x1_0000_0000) * limit);
  };
  const [view, book] = [new PlacementView(), new Book()];
  let placed = 0;
  for (let message = 0; message < 20_000; message += 1) {
    const nodeId = `capture-${below(60)}`;
    const kind = below(10);
    if (kind < 3) {
      const changes = { capacity: [200, 400, 3_200][below(3)] ?? 0, load: below(200) };
      const spoken = node(nodeId, { ...changes, state: below(5) === 0 ? 'draining' : 'ready' });
      view.heard(spoken);
      book.heard(spoken);
    } else if (kind === 3) {
      view.away(nodeId);
      book.away(nodeId);
    } else {
      const [id, weight] = [`r${below(message + 1)}`, 1 + below(10)];
      view.reserved(nodeId, id, weight);
      book.reserved(nodeId, id, weight);
    }
    if (message % 20 !== 0) continue;
    const call = { key: `call-${message}`, weight: 2 };
    const expected = place(book.anew(), call);
    assert.deepEqual(place(view, call), expected);
    placed += expected.homes.length;
  }
  assert.ok(placed > 2_000, String(placed));
});
