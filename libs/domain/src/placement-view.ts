import type { Heartbeat } from '@reelstream/events';
import { hashText } from './hash.ts';

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
  #largestCapacity = 0;
  #totalCapacity = 0;

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

  get largestCapacity(): number {
    return this.#largestCapacity;
  }

  get totalCapacity(): number {
    return this.#totalCapacity;
  }

  /** A node spoke: its figures count every place that was reserved there before. */
  heard(node: Heartbeat): void {
    const seen = this.#find(node.nodeId);
    if (!seen) return this.#add(node);
    const { capacity } = seen.node;
    seen.node = node;
    seen.reserved.clear();
    seen.reservedSince = 0;
    if (node.capacity !== capacity) this.#capacityChanged(capacity, node.capacity);
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
      this.#indexes.set(last.node.nodeId, index);
    }
    this.#indexes.delete(nodeId);
    this.#capacityChanged(gone.node.capacity, 0);
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
    if (index === this.#hashes.length) {
      const larger = new Uint32Array(2 * index);
      larger.set(this.#hashes);
      this.#hashes = larger;
    }
    this.#hashes[index] = hashText(node.nodeId);
    this.#seen.push({ node, reserved: new Map(), reservedSince: 0 });
    this.#indexes.set(node.nodeId, index);
    this.#capacityChanged(0, node.capacity);
  }

  #capacityChanged(from: number, to: number): void {
    this.#totalCapacity += to - from;
    if (to >= this.#largestCapacity) this.#largestCapacity = to;
    else if (from === this.#largestCapacity)
      this.#largestCapacity = this.#seen.reduce((most, { node }) => Math.max(most, node.capacity), 0);
  }
}
