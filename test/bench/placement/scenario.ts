/** One run of the simulator. The same scenario gives the same result, to the last call. */
export type Scenario = {
  readonly name: string;
  readonly seed: number;
  readonly nodes: number;
  /** Conversations to place; both legs of a built-in bridge are one. */
  readonly calls: number;
  readonly pilots: number;
  /** Whether pilots hear one another's reservations (a step later), or know only their own. */
  readonly reservationsShared: boolean;
  /** Share of all capacity that calls take once the cluster is filled. */
  readonly targetLoad: number;
  /** Seconds in which it is filled from empty. */
  readonly fillSeconds: number;
  /** Seconds after that until the balance is judged. */
  readonly settleSeconds: number;
  /** Mean length of a call. */
  readonly callSeconds: number;
  /** Mean seconds from one fault of a node to the next: it dies, drains, or runs out of disk. */
  readonly secondsBetweenFaults: number;
  /** Whether the fullest node must stay near its class's mean: it is at 70 % load. */
  readonly balancePromised: boolean;
};

/** Capacities in streams, and the share of nodes that have them. */
export const capacityClasses = [
  { capacity: 200, share: 0.5 },
  { capacity: 400, share: 0.3 },
  { capacity: 800, share: 0.2 },
] as const;

/** What is called: half of all calls are pairs of legs, one stream each; the others come whole. */
export const callKinds = [
  { kind: 'pair', weight: 2, share: 0.5 },
  { kind: 'audio', weight: 2, share: 0.4 },
  { kind: 'video', weight: 10, share: 0.1 },
] as const;

export type CallKind = (typeof callKinds)[number];

/** The one that `point`, from 0 to 1, falls on, where each has its share. */
export const byShare = <T extends { readonly share: number }>(
  choices: readonly [T, ...T[]],
  point: number,
): T => {
  let passed = 0;

  return choices.find(({ share }) => (passed += share) > point) ?? choices[0];
};

export const meanWeight = callKinds.reduce((sum, { weight, share }) => sum + weight * share, 0);
export const meanCapacity = capacityClasses.reduce((sum, { capacity, share }) => sum + capacity * share, 0);

const usual: Omit<Scenario, 'name' | 'nodes' | 'calls'> = {
  seed: 1,
  pilots: 3,
  reservationsShared: true,
  targetLoad: 0.7,
  fillSeconds: 60,
  settleSeconds: 60,
  callSeconds: 180,
  secondsBetweenFaults: 3_600,
  balancePromised: true,
};

const sized = (nodes: number, calls: number, rest: Partial<Scenario> = {}): Scenario => ({
  ...usual,
  name: `${nodes} nodes`,
  nodes,
  calls,
  ...rest,
});

const rush = { fillSeconds: 10, balancePromised: false } as const;

/** A minute or so in all. The largest cluster takes nearly a million calls to fill: here it is filled to a twentieth. */
export const defaultScenarios: readonly Scenario[] = [
  sized(10, 50_000),
  sized(100, 100_000),
  sized(1_000, 170_000),
  // Nodes that are away leave the others to carry 70 %.
  sized(100, 70_000, {
    name: '100 nodes, a fault of each every 5 min',
    secondsBetweenFaults: 300,
    targetLoad: 0.8,
  }),
  sized(100, 20_000, { ...rush, name: '100 nodes, filled in 10 s' }),
  sized(100, 20_000, {
    ...rush,
    name: '100 nodes, filled in 10 s, pilots do not hear one another',
    reservationsShared: false,
  }),
  sized(100, 50_000, { name: '100 nodes, overfull', targetLoad: 1.05, balancePromised: false }),
  sized(10_000, 55_000, { name: '10000 nodes, a twentieth full', targetLoad: 0.05, balancePromised: false }),
];

/** Sizes with 1,000,000 calls each, besides. */
export const fullScenarios: readonly Scenario[] = [
  ...defaultScenarios,
  ...[10, 100, 1_000].map((nodes) => sized(nodes, 1_000_000, { name: `${nodes} nodes, 1,000,000 calls` })),
  // It takes nearly all of these calls to fill so many nodes: they last longer, so that few end before that.
  sized(10_000, 1_000_000, { name: '10000 nodes, 1,000,000 calls', callSeconds: 3_600, settleSeconds: 0 }),
];
