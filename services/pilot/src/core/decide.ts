import { placeCall } from '@reelstream/domain';
import type { Refusal } from '@reelstream/domain';
import type { Heartbeat } from '@reelstream/events';
import type { Call } from './call.ts';

export type Verdict =
  /** Node ids, best first. */
  | { readonly action: 'redirect' | 'proxy'; readonly homes: readonly string[] }
  | { readonly action: 'refuse'; readonly cause: Refusal };

export type View = {
  /** Every node that is alive, with the reservations not yet in its own figures. */
  readonly nodes: readonly Heartbeat[];
  /** Homes that the other leg of this call was given. */
  readonly partnerHomes: readonly string[];
  /** Whether this controller wants its INVITEs forwarded. */
  readonly proxied: boolean;
  /** The pilot itself is on its way out. */
  readonly draining: boolean;
};

/** Homes of calls: capture nodes that say where they take SIP. */
const isHome = (node: Heartbeat): boolean => node.role === 'capture' && node.sip !== undefined;

/** The other leg's homes as far as they can still take a leg, in the order given before. */
const asBefore = (nodes: readonly Heartbeat[], { key, weight }: Call, homes: readonly string[]): string[] =>
  homes.filter((home) => {
    const node = nodes.find(({ nodeId }) => nodeId === home);

    return node !== undefined && placeCall({ nodes: [node], key, weight }).homes.length > 0;
  });

/** Which homes take this call, best first, and how it gets there; or why none does. */
export const decide = (view: View, call: Call): Verdict => {
  if (view.draining) return { action: 'refuse', cause: 'draining' };
  const nodes = view.nodes.filter(isHome);
  const before = asBefore(nodes, call, view.partnerHomes);
  // The first leg of two needs a home with room for both.
  const weight = call.paired ? 2 * call.weight : call.weight;
  const { homes, refusal } =
    before.length > 0 ? { homes: before } : placeCall({ nodes, key: call.key, weight });

  return refusal
    ? { action: 'refuse', cause: refusal }
    : { action: view.proxied ? 'proxy' : 'redirect', homes };
};

/** A call with one talker on each side: what OPTIONS asks for. */
const ordinaryWeight = 2;

/** Why the cluster would refuse an ordinary call now; undefined if it would take one. */
export const obstacle = (view: Pick<View, 'nodes' | 'draining'>): Refusal | undefined =>
  view.draining
    ? 'draining'
    : placeCall({ nodes: view.nodes.filter(isHome), key: '', weight: ordinaryWeight }).refusal;
