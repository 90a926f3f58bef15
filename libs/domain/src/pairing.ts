import type { PlacementView } from './placement-view.ts';
import { place } from './placement.ts';
import type { Placement } from './placement.ts';

/** What tells a leg of a built-in-bridge call, and which of the two it is. */
export type BibLeg = {
  /** The voice of the phone that forks (near end), or the one it hears. */
  readonly side: 'near' | 'far';
  readonly nearEndClusterId: string | undefined;
  readonly refCi: string;
  readonly nearEndDevice: string;
};

/** Longer ones are made up: no controller has such ids. */
const longestKey = 256;

/**
 * The same for both legs of a built-in-bridge call, whichever subscriber sends them. `controller` stands in for a missing
 * cluster id. Undefined for a leg that can't be paired: it doesn't say of which call it is.
 */
export const bibPairingKey = (
  leg: Pick<BibLeg, 'nearEndClusterId' | 'refCi' | 'nearEndDevice'>,
  controller: string,
): string | undefined => {
  const key = [leg.nearEndClusterId ?? controller, leg.refCi, leg.nearEndDevice.toLowerCase()].join('|');

  return leg.refCi === '' || key.length > longestKey ? undefined : key;
};

/** The track of a leg: 0 is what the forking phone sends, 1 what it hears. */
export const bibTrackNumber = ({ side }: Pick<BibLeg, 'side'>): number => (side === 'near' ? 0 : 1);

/**
 * Homes for a leg whose pilot could not ask the others: those that the key draws, whatever their load. Load figures and
 * a pilot's own reservations differ from pilot to pilot within a second; who is alive, and what a node says of itself,
 * hardly does. So two pilots that can't speak to each other still choose alike, unless a node came, went, or filled up
 * between their last heartbeats.
 */
export const placeByKey = (
  view: PlacementView,
  call: { readonly key: string; readonly weight: number },
): Placement => place(view, { ...call, byKeyAlone: true });
