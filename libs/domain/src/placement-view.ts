import type { Heartbeat } from '@reelstream/events';
import { hashText } from './hash.ts';
import { roomAt } from './obstacle.ts';

/** A node as its last heartbeat has it, and what was reserved there since. */
type Seen = {
  node: Heartbeat;
  /** Streams by reservation id. */
  readonly reserved: Map<string, number>;
  /** The sum of these. */
  reservedSince: number;
};

/**
 * The nodes that calls may go to, ready for many decisions: their ids hashed, and what was reserved at each since it last
 * spoke on top of its own figures. Changes in place, a little with each message; the same messages make the same view.
 */
export class PlacementView {
  readonly #seen: Seen[] = [];
  readonly #indexes = new Map<string, number>();
  #hashes = new Uint32Array(16);
  #rooms = new Float64Array(16);
  #largestCapacity = 0;
  #openCapacity = 0;

  /** A view of these nodes, each as it spoke. */
  static of(nodes: readonly Heartbeat[]): PlacementView {
    const view = new PlacementView();
    for (const node of nodes) view.heard(node);

    return view;
  }

  get size(): number {
    return this.#seen.length;
  }

  /** Of the node ids: the first `size` count. Valid until the next change. */
  get hashes(): Uint32Array {
    return this.#hashes;
  }

  /** Streams free by the nodes' own word, in the same order; less than none at a node that takes no calls. */
  get rooms(): Float64Array {
    return this.#rooms;
  }

  get largestCapacity(): number {
    return this.#largestCapacity;
  }

  /** Of all nodes that have room, by their own word. */
  get openCapacity(): number {
    return this.#openCapacity;
  }

  /** A node spoke: its figures count every place that was reserved there before. */
  heard(node: Heartbeat): void {
    const index = this.#indexes.get(node.nodeId);
    const seen = index === undefined ? undefined : this.#seen[index];
    if (index === undefined || !seen) return this.#add(node);
    const before = seen.node;
    seen.node = node;
    this.#rooms[index] = roomAt(node);
    seen.reserved.clear();
    seen.reservedSince = 0;
    this.#changed(before, node);
  }

  /** A node is gone. */
  away(nodeId: string): void {
    const index = this.#indexes.get(nodeId);
    const gone = index === undefined ? undefined : this.#seen[index];
    const last = gone && this.#seen.pop();
    if (index === undefined || !gone || !last) return;
    // The last one takes its place, so that no other has to move.
    if (last !== gone) {
      this.#seen[index] = last;
      this.#hashes[index] = this.#hashes[this.#seen.length] ?? 0;
      this.#rooms[index] = this.#rooms[this.#seen.length] ?? 0;
      this.#indexes.set(last.node.nodeId, index);
    }
    this.#indexes.delete(nodeId);
    this.#changed(gone.node, undefined);
  }

  /**
   * A place was reserved, by this pilot or another: it counts until the node's next heartbeat, which says it. The same
   * reservation counts once, however often it is heard.
   */
  reserved(nodeId: string, reservationId: string, weight: number): void {
    const seen = this.#find(nodeId);
    if (!seen || !(weight > 0) || seen.reserved.has(reservationId)) return;
    seen.reserved.set(reservationId, weight);
    seen.reservedSince += weight;
  }

  /** What this node said last; undefined if there is none. */
  node(nodeId: string): Heartbeat | undefined {
    return this.#find(nodeId)?.node;
  }

  /** What the node at `index` said last. */
  at(index: number): Heartbeat | undefined {
    return this.#seen[index]?.node;
  }

  /** Streams reserved at the node at `index` that it hasn't said yet. */
  reservedSince(index: number): number {
    return this.#seen[index]?.reservedSince ?? 0;
  }

  indexOf(nodeId: string): number | undefined {
    return this.#indexes.get(nodeId);
  }

  #find(nodeId: string): Seen | undefined {
    const index = this.#indexes.get(nodeId);

    return index === undefined ? undefined : this.#seen[index];
  }

  #add(node: Heartbeat): void {
    const index = this.#seen.length;
    if (index === this.#hashes.length) this.#grow(2 * index);
    this.#hashes[index] = hashText(node.nodeId);
    this.#rooms[index] = roomAt(node);
    this.#seen.push({ node, reserved: new Map(), reservedSince: 0 });
    this.#indexes.set(node.nodeId, index);
    this.#changed(undefined, node);
  }

  #grow(length: number): void {
    const [hashes, rooms] = [new Uint32Array(length), new Float64Array(length)];
    hashes.set(this.#hashes);
    rooms.set(this.#rooms);
    this.#hashes = hashes;
    this.#rooms = rooms;
  }

  #changed(before: Heartbeat | undefined, after: Heartbeat | undefined): void {
    this.#openCapacity += openCapacityAt(after) - openCapacityAt(before);
    const [from, to] = [before?.capacity ?? 0, after?.capacity ?? 0];
    if (to >= this.#largestCapacity) this.#largestCapacity = to;
    else if (from === this.#largestCapacity)
      this.#largestCapacity = this.#seen.reduce((most, { node }) => Math.max(most, node.capacity), 0);
  }
}

const openCapacityAt = (node: Heartbeat | undefined): number =>
  node && roomAt(node) > 0 ? node.capacity : 0;
