import { canTake, place, placeByKey } from '@reelstream/domain';
import type { Placement, PlacementView, Refusal } from '@reelstream/domain';
import type { Call } from './call.ts';

export type Verdict =
  /** Node ids, best first. */
  | { readonly action: 'redirect' | 'proxy'; readonly homes: readonly string[] }
  | { readonly action: 'refuse'; readonly cause: RefusalCause };

/** Stable words for the `attempt.refused` event. */
export type RefusalCause = Refusal | 'rejected-by-rule' | 'media-not-ready';

export type View = {
  /** Nodes that calls may go to and that are alive, with the reservations not yet in their own figures. */
  readonly homes: PlacementView;
  /** Homes that both legs of this call were given; empty for one that isn't paired, or is the first to come. */
  readonly partnerHomes: readonly string[];
  /** Whether this controller wants its INVITEs forwarded. */
  readonly proxied: boolean;
  /** The pilot itself is on its way out. */
  readonly draining: boolean;
};

/**
 * The pair's homes as far as they take calls at all, in the order given before. How full they are doesn't count: the
 * first leg holds the place of the other.
 */
const asBefore = (view: PlacementView, { key }: Call, homes: readonly string[]): string[] =>
  homes.filter((home) => canTake(view, home, { key, weight: 0, byKeyAlone: true }));

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

const placed = ({ homes, partnerHomes }: View, call: Call): Placement => {
  const before = asBefore(homes, call, partnerHomes);
  if (before.length > 0) return { homes: before };
  const asked = { key: call.key, weight: weightFor(call) };

  return partnerHomes.length > 0 ? placeByKey(homes, asked) : place(homes, asked);
};

/** Homes for a paired call by its key alone: see `placeByKey`. Empty where none can take it. */
export const homesByKey = (homes: PlacementView, call: Call): readonly string[] =>
  placeByKey(homes, { key: call.key, weight: weightFor(call) }).homes;

/** The first leg of two needs a home with room for both. */
const weightFor = ({ paired, weight }: Call): number => (paired ? 2 * weight : weight);

/** A call with one talker on each side: what OPTIONS asks for. */
const ordinaryWeight = 2;

/** Why the cluster would refuse an ordinary call now; undefined if it would take one. */
export const obstacle = ({ homes, draining }: Pick<View, 'homes' | 'draining'>): Refusal | undefined =>
  draining ? 'draining' : place(homes, { key: '', weight: ordinaryWeight }).refusal;
