import type { Heartbeat } from '@reelstream/events';

/**
 * What this pilot has reserved since a node last spoke: until its next heartbeat, which counts it, the node looks
 * emptier than it is.
 */
export class OwnLoad {
  readonly #reserved = new WeakMap<Heartbeat, number>();

  add(node: Heartbeat, weight: number): void {
    this.#reserved.set(node, (this.#reserved.get(node) ?? 0) + weight);
  }

  /** The nodes with our reservations on top of their own figures, and the way back to the heartbeat as it came. */
  onTopOf(nodes: readonly Heartbeat[]): readonly Heartbeat[] {
    return nodes.map((node) => {
      const own = this.#reserved.get(node);

      return own === undefined ? node : { ...node, reserved: node.reserved + own };
    });
  }
}
