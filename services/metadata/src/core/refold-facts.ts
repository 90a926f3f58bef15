import type { EventType } from '@reelstream/events';
import { foldBatch } from './fold.ts';
import type { Known, Plan } from './fold.ts';
import type { Incoming } from './incoming.ts';
import type { SlowFactState } from './slow-facts.ts';

/** Tables beside those of sessions whose rows follow from events, and the types of these. */
export const followed = {
  node: ['node.started', 'node.stopped', 'node.lost'],
  slow_fact: [
    'rule.created',
    'rule.changed',
    'rule.deleted',
    'controller.set',
    'controller.removed',
    'node.draining',
    'node.undrained',
  ],
  subscription: ['subscription.created', 'subscription.deleted'],
  alarm: ['position.rewound'],
} as const satisfies Record<string, readonly EventType[]>;

export type FollowingTable = keyof typeof followed;

export const followingTables = Object.keys(followed) as readonly FollowingTable[];

/** Tables in which a row follows from events of a type. */
export const tablesOf = (type: string): readonly FollowingTable[] =>
  followingTables.filter((table) => {
    const types: readonly string[] = followed[table];

    return types.includes(type);
  });

/** What the rows of those tables must say. */
export type FactRows = Pick<Plan, 'nodes' | 'subscriptions' | 'alarms'> & {
  readonly slowFacts: readonly (SlowFactState & { readonly generation: number })[];
};

const nothing: Known = {
  events: new Map(),
  lines: new Map(),
  subscriptions: [],
  deletedSubscriptions: new Map(),
  slowFacts: [],
  annotations: new Map(),
};

/** Nobody is told: an event has an origin, and it is not this. */
const silent = { server: '', positionAt: () => '' };

/** Folds events from nothing, in the order of generations and of the stream: what applying them has led to. */
export const refoldFacts = (events: readonly (Incoming & { readonly generation: number })[]): FactRows => {
  // A sequence alone says little: each generation counts anew.
  const counted = events.map((event, index) => ({ ...event, sequence: index }));
  const { nodes, subscriptions, alarms, slowFacts } = foldBatch(nothing, counted, silent);

  return {
    nodes,
    subscriptions,
    alarms,
    slowFacts: slowFacts.flatMap((fact) => {
      const last = events[fact.sequence];

      return last ? [{ ...fact, generation: last.generation, sequence: last.sequence }] : [];
    }),
  };
};
