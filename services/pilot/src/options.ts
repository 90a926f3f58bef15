import type { SipHandlers } from '@reelstream/sip';
import { obstacle } from './core/decide.ts';
import { isDraining } from './state.ts';
import type { Pilot } from './state.ts';

/**
 * The cluster's health as controllers ask for it: 200 only if an ordinary call would be taken now, so that they go to
 * the next pilot, or the next cluster of the ring.
 */
export const onOptions = (pilot: Pilot): ReturnType<SipHandlers['options']> => {
  const cause = obstacle({ homes: pilot.cluster.homes, draining: isDraining(pilot) });
  pilot.meters.count(cause === undefined ? 'options.able' : 'options.unable', cause);

  return cause === undefined ? { status: 200 } : { status: 503, reason: `Service Unavailable (${cause})` };
};
