import { place, PlacementView } from '@reelstream/domain';
import type { Heartbeat } from '@reelstream/events';
import { Cluster, heartbeatOf } from './cluster.ts';
import { randomFrom } from '../../support/random.ts';
import { defaultScenarios } from './scenario.ts';

export type CostReport = {
  readonly nodes: number;
  /** Microseconds for one decision. */
  readonly p50Us: number;
  readonly p99Us: number;
  /** The same at p50 where nine of ten nodes are full, and where all are. */
  readonly mostFullUs: number;
  readonly allFullUs: number;
  /** Microseconds for the floor: a plain loop over the nodes that finds the emptiest. */
  readonly floorP50Us: number;
  /** A decision over the floor, both at p50. */
  readonly ratio: number;
  /** Microseconds for what a call changes in the view, and what a heartbeat does: at p50. */
  readonly reservationUs: number;
  readonly heartbeatUs: number;
};

/** Decisions made before it counts, and those that count; fewer over more nodes. */
const roundsAt = (nodes: number) => ({
  warmUp: nodes > 1_000 ? 1_000 : 10_000,
  measured: nodes > 1_000 ? 4_000 : 40_000,
});

/** Times single decisions over nodes of mixed capacity that are about 70 % full. */
export const costAt = (count: number): CostReport => {
  const { warmUp, measured } = roundsAt(count);
  const nodes = nodesOf(count);
  const view = PlacementView.of(nodes);
  const decisions: number[] = [];
  const floors: number[] = [];
  const reservations: number[] = [];
  const heartbeats: number[] = [];
  for (let call = 0; call < warmUp + measured; call += 1) {
    const key = `${call}@192.0.2.1`;
    const spoken = nodes[call % nodes.length];
    let homes: readonly string[] = [];
    decisions.push(microseconds(() => ({ homes } = place(view, { key, weight: 2 }))));
    reservations.push(microseconds(() => view.reserved(homes[0] ?? '', key, 2)));
    if (spoken) heartbeats.push(microseconds(() => view.heard(spoken)));
    floors.push(microseconds(() => emptiestOf(nodes)));
  }
  const warm = (values: readonly number[], share: number): number => percentile(values.slice(warmUp), share);

  const fullTo = (tenths: number): number => {
    const view = PlacementView.of(
      nodes.map((node, index) => (index % 10 < tenths ? { ...node, load: node.capacity } : node)),
    );
    const spent = Array.from({ length: warmUp + measured / 2 }, (_, call) =>
      microseconds(() => place(view, { key: `${call}@192.0.2.1`, weight: 2 })),
    );

    return warm(spent, 0.5);
  };

  return {
    nodes: count,
    mostFullUs: fullTo(9),
    allFullUs: fullTo(10),
    p50Us: warm(decisions, 0.5),
    p99Us: warm(decisions, 0.99),
    floorP50Us: warm(floors, 0.5),
    ratio: warm(decisions, 0.5) / warm(floors, 0.5),
    reservationUs: warm(reservations, 0.5),
    heartbeatUs: warm(heartbeats, 0.5),
  };
};

const nodesOf = (count: number): readonly Heartbeat[] => {
  const [scenario] = defaultScenarios;
  if (!scenario) throw new RangeError('no scenario');
  const random = randomFrom(count);
  const { nodes } = new Cluster({ ...scenario, nodes: count }, random);
  for (const node of nodes) node.load = Math.floor(node.capacity * (0.65 + 0.1 * random.next()));

  return nodes.map(heartbeatOf);
};

/** The least a placement by load could do. */
const emptiestOf = (nodes: readonly Heartbeat[]): Heartbeat | undefined => {
  let emptiest: Heartbeat | undefined;
  let least = Infinity;
  for (const node of nodes) {
    const fullness = (node.load + node.reserved) / node.capacity;
    if (node.state !== 'ready' || fullness >= least) continue;
    [emptiest, least] = [node, fullness];
  }

  return emptiest;
};

const microseconds = (work: () => unknown): number => {
  const begun = performance.now();
  work();

  return (performance.now() - begun) * 1_000;
};

const percentile = (values: readonly number[], share: number): number =>
  values.toSorted((left, right) => left - right)[Math.floor(values.length * share)] ?? 0;
