import { placeByKey, placeCall } from '@reelstream/domain';
import type { Placement, Refusal } from '@reelstream/domain';
import type { Heartbeat } from '@reelstream/events';
import type { Call } from './call.ts';

export type Verdict =
  /** Node ids, best first. */
  | { readonly action: 'redirect' | 'proxy'; readonly homes: readonly string[] }
  | { readonly action: 'refuse'; readonly cause: RefusalCause };

/** Stable words for the `attempt.refused` event. */
export type RefusalCause = Refusal | 'rejected-by-rule' | 'media-not-ready';

export type View = {
  /** Every node that is alive, with the reservations not yet in its own figures. */
  readonly nodes: readonly Heartbeat[];
  /** Homes that both legs of this call were given; empty for one that isn't paired, or is the first to come. */
  readonly partnerHomes: readonly string[];
  /** Whether this controller wants its INVITEs forwarded. */
  readonly proxied: boolean;
  /** The pilot itself is on its way out. */
  readonly draining: boolean;
};

/** Homes of calls: capture nodes that say where they take SIP. */
const isHome = (node: Heartbeat): boolean => node.role === 'capture' && node.sip !== undefined;

/**
 * The pair's homes as far as they take calls at all, in the order given before. How full they are doesn't count: the
 * first leg holds the place of the other.
 */
const asBefore = (nodes: readonly Heartbeat[], { key }: Call, homes: readonly string[]): string[] =>
  homes.filter((home) => {
    const node = nodes.find(({ nodeId }) => nodeId === home);

    return node !== undefined && placeCall({ nodes: [node], key, weight: 0 }).homes.length > 0;
  });

/** Which homes take this call, best first, and how it gets there; or why none does. */
export const decide = (view: View, call: Call): Verdict => {
  if (view.draining) return { action: 'refuse', cause: 'draining' };
  const forbidden = ruledOut(call);
  if (forbidden) return { action: 'refuse', cause: forbidden };
  const { homes, refusal } = placed(view, call);

  return refusal
    ? { action: 'refuse', cause: refusal }
    : { action: view.proxied ? 'proxy' : 'redirect', homes };
};

const ruledOut = ({ rule }: Call): RefusalCause | undefined => {
  switch (rule?.action.kind) {
    case 'reject':
      return 'rejected-by-rule';
    // No node has media files to play yet.
    case 'play-once':
    case 'play-continuously':
      return 'media-not-ready';
    case 'record':
    case undefined:
      return undefined;
  }
};

const placed = (view: View, call: Call): Placement => {
  const nodes = view.nodes.filter(isHome);
  const { partnerHomes } = view;
  const before = asBefore(nodes, call, partnerHomes);
  if (before.length > 0) return { homes: before };

  return partnerHomes.length > 0
    ? placeByKey({ nodes, key: call.key, weight: weightFor(call) })
    : placeCall({ nodes, key: call.key, weight: weightFor(call) });
};

/** Homes for a paired call by its key alone: see `placeByKey`. Empty where none can take it. */
export const homesByKey = (nodes: readonly Heartbeat[], call: Call): readonly string[] =>
  placeByKey({ nodes: nodes.filter(isHome), key: call.key, weight: weightFor(call) }).homes;

/** The first leg of two needs a home with room for both. */
const weightFor = ({ paired, weight }: Call): number => (paired ? 2 * weight : weight);

/** A call with one talker on each side: what OPTIONS asks for. */
const ordinaryWeight = 2;

/** Why the cluster would refuse an ordinary call now; undefined if it would take one. */
export const obstacle = (view: Pick<View, 'nodes' | 'draining'>): Refusal | undefined =>
  view.draining
    ? 'draining'
    : placeCall({ nodes: view.nodes.filter(isHome), key: '', weight: ordinaryWeight }).refusal;
