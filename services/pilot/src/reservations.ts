import type { Bus } from '@reelstream/bus';
import { Claim, claimWildcard, Reservation, reservationHome, reservationWildcard } from '@reelstream/events';
import { Compile } from 'typebox/compile';
import { attempt } from './invite.ts';
import type { Pilot } from './state.ts';

const claimValidator = Compile(Claim);
const reservationValidator = Compile(Reservation);
const lookEveryMs = 100;

/**
 * Follows what pilots reserve, whose homes say it only with their next heartbeat, and what becomes of the calls that this
 * one redirected: claimed by a home, or lost. A claim changes no home's sum, what was reserved becomes load. Returns the
 * end of it.
 */
export const followReservations = (
  pilot: Pilot,
  bus: Pick<Bus, 'subscribe' | 'onConnection'>,
): (() => void) => {
  const endClaims = bus.subscribe(claimWildcard, ({ data }) => {
    if (!claimValidator.Check(data)) throw new Error('no claim');
    if (pilot.reservations.claim(data.callId)) pilot.memory.settle(data.callId, 'claimed', data.home);
  });
  const endReservations = bus.subscribe(reservationWildcard, ({ subject, data }) => {
    if (!reservationValidator.Check(data)) throw new Error('no reservation');
    pilot.cluster.homes.reserved(reservationHome(subject), data.reservationId, data.weight);
  });
  const endListening = bus.onConnection((connected) => {
    if (!connected) pilot.reservations.forget();
  });
  const timer = setInterval(() => tellLost(pilot), lookEveryMs);

  return () => {
    clearInterval(timer);
    endListening();
    endReservations();
    endClaims();
  };
};

const tellLost = (pilot: Pilot): void => {
  for (const { call, homes, isLastStraw } of pilot.reservations.expire(performance.now())) {
    pilot.facts.say('attempt.lost', { ...attempt(call), cause: 'redirect-not-followed', homes: [...homes] });
    pilot.memory.settle(call.callId, 'lost');
    if (!isLastStraw) continue;
    const { controllerAddress } = call;
    pilot.meters.count('controller.no-redirect', controllerAddress);
    pilot.logger.warn(
      { controllerAddress },
      'controller follows no redirect: its calls are forwarded from now on',
    );
  }
};
