import type { Bus, NodeWatch } from '@reelstream/bus';
import type { Heartbeat } from '@reelstream/events';
import type { Logger, Meters } from '@reelstream/service';
import type { Facts } from './adapters/facts.ts';
import type { PairClaims } from './adapters/pair-claims.ts';
import type { OwnLoad } from './core/own-load.ts';
import type { ControllerProfiles } from './core/profile.ts';
import type { Reservations } from './core/reservations.ts';

/** What a pilot has while it runs: a view of others and what passes through. Losing it loses no call. */
export type Pilot = {
  readonly bus: Pick<Bus, 'connected' | 'publish'>;
  readonly watch: NodeWatch;
  readonly profiles: ControllerProfiles;
  readonly reservations: Reservations;
  readonly reservationTimeoutMs: number;
  readonly pairs: PairClaims;
  readonly ownLoad: OwnLoad;
  readonly facts: Facts;
  readonly logger: Logger;
  readonly meters: Meters;
  draining: boolean;
};

/** Heartbeats of the nodes that are alive, as far as we know. */
export const aliveNodes = ({ watch }: Pick<Pilot, 'watch'>): readonly Heartbeat[] =>
  watch.nodes().flatMap(({ alive, heartbeat }) => (alive ? [heartbeat] : []));
