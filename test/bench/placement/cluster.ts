import type { Heartbeat } from '@reelstream/events';
import { Agenda, stepsPerSecond } from './clock.ts';
import type { Random } from '../../support/random.ts';
import { capacityClasses } from './scenario.ts';
import type { Scenario } from './scenario.ts';

type Condition = 'well' | 'dead' | 'draining' | 'disk full';

/** A node as it really is, which pilots learn late. */
export type SimulatedNode = {
  readonly nodeId: string;
  readonly capacity: number;
  /** Step within each second at which it sends its heartbeat. */
  readonly beat: number;
  condition: Condition;
  epoch: number;
  load: number;
  /** Whether it has had the time to fill up since it began or came back. */
  settled: boolean;
};

type Ending = { readonly node: SimulatedNode; readonly epoch: number; readonly weight: number };

/** Seconds that a fault lasts, at least, and at most. */
const faultSeconds = [20, 80] as const;

/** The nodes with their calls and their faults. */
export class Cluster {
  readonly nodes: readonly SimulatedNode[];
  readonly #random: Random;
  readonly #scenario: Scenario;
  readonly #byId: ReadonlyMap<string, SimulatedNode>;
  readonly #endings = new Agenda<Ending>();
  readonly #mendings = new Agenda<SimulatedNode>();

  constructor(scenario: Scenario, random: Random) {
    this.#scenario = scenario;
    this.#random = random;
    this.nodes = capacitiesOf(scenario.nodes).map((capacity, index) => ({
      nodeId: `capture-${index}`,
      capacity,
      beat: random.below(stepsPerSecond),
      condition: 'well',
      epoch: 1,
      load: 0,
      settled: true,
    }));
    this.#byId = new Map(this.nodes.map((node) => [node.nodeId, node]));
  }

  /** Calls end, faults begin and end. */
  advance(step: number): void {
    for (const { node, epoch, weight } of this.#endings.take(step)) {
      if (node.epoch === epoch) node.load -= weight;
    }
    for (const node of this.#mendings.take(step)) node.condition = 'well';
    const { secondsBetweenFaults } = this.#scenario;
    const faults = this.#random.poisson(this.nodes.length / (secondsBetweenFaults * stepsPerSecond));
    for (let fault = 0; fault < faults; fault += 1) this.#strike(step);
  }

  /** The heartbeats sent at this step. */
  heartbeats(step: number): readonly Heartbeat[] {
    return this.nodes.flatMap((node) =>
      node.beat === step % stepsPerSecond && node.condition !== 'dead' ? [heartbeatOf(node)] : [],
    );
  }

  /** Brings a call to a node; false if the node is away or doesn't take it. */
  offer(nodeId: string, weight: number, step: number): boolean {
    const node = this.#byId.get(nodeId);
    if (node?.condition !== 'well' || node.load + weight > node.capacity) return false;
    node.load += weight;
    const steps = 1 + Math.round(this.#random.exponential(this.#scenario.callSeconds * stepsPerSecond));
    this.#endings.add(step + steps, { node, epoch: node.epoch, weight });

    return true;
  }

  #strike(step: number): void {
    const node = this.nodes[this.#random.below(this.nodes.length)];
    if (node?.condition !== 'well') return;
    node.condition = (['dead', 'draining', 'disk full'] as const)[this.#random.below(3)] ?? 'dead';
    node.settled = false;
    if (node.condition === 'dead') {
      node.epoch += 1;
      node.load = 0;
    }
    const [least, most] = faultSeconds;
    const seconds = least + this.#random.below(most - least);
    this.#mendings.add(step + seconds * stepsPerSecond, node);
  }
}

/** In turn, so that each class has its share in every part of the list. */
const capacitiesOf = (count: number): number[] => {
  const shares = capacityClasses.map(() => 0);

  return Array.from({ length: count }, (_, index) => {
    const behind = capacityClasses.map(({ share }, place) => share * (index + 1) - (shares[place] ?? 0));
    const next = behind.indexOf(Math.max(...behind));
    shares[next] = (shares[next] ?? 0) + 1;

    return capacityClasses[next]?.capacity ?? 0;
  });
};

export const heartbeatOf = ({ nodeId, capacity, condition, epoch, load }: SimulatedNode): Heartbeat => ({
  nodeId,
  role: 'capture',
  epoch,
  pid: 1,
  host: nodeId,
  address: '127.0.0.1',
  advertise: [],
  state: condition === 'draining' ? 'draining' : 'ready',
  load,
  reserved: 0,
  capacity,
  storage:
    condition === 'disk full' ? { level: 'CRITICAL', usedPercent: 91 } : { level: 'NORMAL', usedPercent: 10 },
});
