import type { Bus, NodeFacts, NodeWatch } from '@reelstream/bus';
import type { Logger, Meters } from '@reelstream/service';
import type { PairClaims } from './adapters/pair-claims.ts';
import type { Settings } from './adapters/settings.ts';
import type { ClusterView } from './core/cluster-view.ts';
import type { PlacementMemory } from './core/placement-memory.ts';
import type { Reservations } from './core/reservations.ts';

/** What a pilot has while it runs: a view of others and what passes through. Losing it loses no call. */
export type Pilot = {
  readonly bus: Pick<Bus, 'connected' | 'publish'>;
  readonly watch: NodeWatch;
  /** Kept up with what the watch hears, and with everybody's reservations. */
  readonly cluster: ClusterView;
  readonly nodeId: string;
  readonly settings: Settings;
  /** What `reel explain` asks for. */
  readonly memory: PlacementMemory;
  readonly reservations: Reservations;
  readonly reservationTimeoutMs: number;
  readonly pairs: PairClaims;
  readonly facts: NodeFacts;
  readonly logger: Logger;
  readonly meters: Meters;
  /** On its way out. */
  draining: boolean;
};

/** Whether it takes no new calls: it is ending, or an operator has taken it out. */
export const isDraining = ({ draining, settings }: Pick<Pilot, 'draining' | 'settings'>): boolean =>
  draining || settings.isDrained;
