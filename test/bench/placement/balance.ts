import type { SimulatedNode } from './cluster.ts';

export type BalanceReport = {
  /** How often it was looked at: once a simulated second. */
  readonly looks: number;
  /** Share of the capacity of the nodes that take calls in use: the mean of all looks. */
  readonly load: number;
  /** The fullest node over the mean of its capacity class: the worst ever seen, and the median of all looks. */
  readonly worst: number;
  readonly median: number;
  /** The same at looks at which nodes that take calls were as full as the promise is for. */
  readonly atPromisedLoad: { readonly looks: number; readonly worst: number };
  /** Mean fullness by capacity over that of all nodes: 1 where calls go by capacity. */
  readonly classes: Readonly<Record<string, number>>;
};

/** A node that came back is compared with the others again once it is nearly as full as they are. */
const settledAt = 0.95;
/**
 * The promise is for 70 % load, give or take five. When nodes die with their calls and come back empty, the others' calls end
 * and the new ones rightly go to those: what is left of old calls then is uneven by chance, and no placement can move them.
 */
const promisedLoad = 0.65;

/** Looks at how evenly calls lie on nodes of the same capacity, again and again. */
export class Balance {
  readonly #ratios: number[] = [];
  #promised = { looks: 0, worst: 1 };
  readonly #classMeans = new Map<number, number>();
  #loads = 0;
  #looks = 0;

  look(nodes: readonly SimulatedNode[]): void {
    let [load, capacity] = [0, 0];
    const before = this.#ratios.length;
    const classes = Map.groupBy(nodes, (node) => node.capacity);
    const means = new Map<number, number>();
    for (const [size, members] of classes) {
      for (const node of members) {
        if (node.condition === 'well') [load, capacity] = [load + node.load, capacity + size];
      }
      means.set(size, this.#lookAtClass(size, members));
    }
    this.#looks += 1;
    this.#loads += load / capacity;
    if (load / capacity >= promisedLoad) {
      const worst = Math.max(this.#promised.worst, ...this.#ratios.slice(before));
      this.#promised = { looks: this.#promised.looks + 1, worst };
    }
    const overall = meanOf(
      [...classes].flatMap(([size, members]) => members.map(() => means.get(size) ?? 0)),
    );
    for (const [size, mean] of means) {
      this.#classMeans.set(size, (this.#classMeans.get(size) ?? 0) + mean / overall);
    }
  }

  report(): BalanceReport {
    const ratios = this.#ratios.toSorted((left, right) => left - right);

    return {
      looks: this.#looks,
      load: this.#loads / Math.max(1, this.#looks),
      worst: ratios.at(-1) ?? 1,
      atPromisedLoad: this.#promised,
      median: ratios[Math.floor(ratios.length / 2)] ?? 1,
      classes: Object.fromEntries(
        [...this.#classMeans].map(([capacity, sum]) => [`${capacity}`, sum / this.#looks]),
      ),
    };
  }

  #lookAtClass(capacity: number, members: readonly SimulatedNode[]): number {
    const settled = members.filter((node) => node.settled && node.condition === 'well');
    const mean = meanOf(settled.map(({ load }) => load));
    for (const node of members) {
      if (node.condition === 'well' && node.load >= settledAt * mean) node.settled = true;
    }
    if (settled.length > 1) this.#ratios.push(Math.max(...settled.map(({ load }) => load)) / mean);

    return mean / capacity;
  }
}

const meanOf = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
