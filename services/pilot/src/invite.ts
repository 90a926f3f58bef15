import { freshId, reservationSubject } from '@reelstream/events';
import type { Heartbeat, Reservation } from '@reelstream/events';
import { parseUri, readInvite } from '@reelstream/sip';
import type { InviteReceived } from '@reelstream/sip';
import { contactsFor, homeUri } from './contacts.ts';
import { callOf } from './core/call.ts';
import type { Call } from './core/call.ts';
import { decide } from './core/decide.ts';
import type { Verdict } from './core/decide.ts';
import { profileOf } from './core/profile.ts';
import { aliveNodes } from './state.ts';
import type { Pilot } from './state.ts';

/** Where a call goes, best home first, as the homes last spoke. */
type Pointed = { readonly action: 'redirect' | 'proxy'; readonly homes: readonly Heartbeat[] };

/** The way of an INVITE through the pilot: read, placed, reserved, and pointed to its home. */
export const onInvite = (pilot: Pilot, invite: InviteReceived): void => {
  const call = readCall(pilot, invite);
  const verdict = place(pilot, call);
  invite.onCancelled(() => {
    pilot.reservations.cancel(call.callId);
    pilot.facts.say('attempt.cancelled', { ...attempt(call), cause: 'cancelled-by-controller' });
  });
  if (verdict.action === 'refuse') return refuse(pilot, invite, { call, cause: verdict.cause });
  reserve(pilot, call, verdict);
  note(pilot, call, verdict);
  const [best] = verdict.homes;
  if (verdict.action === 'proxy' && best) void invite.proxy(homeUri(best, call));
  else void invite.redirect(contactsFor(verdict.homes, call));
};

const readCall = ({ profiles }: Pilot, { info }: InviteReceived): Call =>
  callOf(info, readInvite(info), {
    profile: profileOf(profiles, info.source.address),
    dialledUser: parseUri(info.requestUri).user,
  });

const place = (pilot: Pilot, call: Call): Pointed | Extract<Verdict, { action: 'refuse' }> => {
  const nodes = aliveNodes(pilot);
  const verdict = decide(
    {
      nodes: pilot.ownLoad.onTopOf(nodes),
      partnerHomes: call.paired ? pilot.pairs.homesOf(call.key, performance.now()) : [],
      proxied: call.followsRedirect === false || pilot.reservations.followsNoRedirect(call.controllerAddress),
      draining: pilot.draining,
    },
    call,
  );
  if (verdict.action === 'refuse') return verdict;

  return {
    ...verdict,
    homes: verdict.homes.flatMap((id) => nodes.find(({ nodeId }) => nodeId === id) ?? []),
  };
};

/** Holds the call's place at its first home, and waits for a home to claim it. */
const reserve = (pilot: Pilot, call: Call, { action, homes: [best, ...others] }: Pointed): void => {
  if (!best) return;
  const now = performance.now();
  const homes = [best, ...others].map(({ nodeId }) => nodeId);
  const isFirstLeg = call.paired && pilot.pairs.homesOf(call.key, now).length === 0;
  // The first leg of two holds the place of the second as well.
  const weight = isFirstLeg ? 2 * call.weight : call.weight;
  const reservation: Reservation = {
    reservationId: freshId(),
    callId: call.callId,
    weight,
    ttlMs: pilot.reservationTimeoutMs,
  };
  pilot.bus.publish(reservationSubject(best.nodeId), reservation);
  pilot.ownLoad.add(best, weight);
  if (call.paired) pilot.pairs.remember(call.key, homes, now);
  // A forwarded INVITE gets its home's answer or an error; and without the bus no claim would reach us.
  if (action === 'redirect' && pilot.bus.connected) pilot.reservations.open(call, homes, now);
};

/** At most one second: Retry-After bars every request of the controller meanwhile (RFC 3261 §21.5.4). */
const retryAfterSeconds = 1;

const refuse = (
  pilot: Pilot,
  invite: InviteReceived,
  { call, cause }: { readonly call: Call; readonly cause: string },
): void => {
  const status = 503;
  const headers = { 'Retry-After': String(retryAfterSeconds) };
  invite.reject(status, { headers }).then(
    (sent) => {
      if (sent) pilot.facts.say('attempt.refused', { ...attempt(call), cause, status });
    },
    (error: unknown) => pilot.logger.error({ error, callId: call.callId }, 'refusal not sent'),
  );
};

const note = (pilot: Pilot, call: Call, { action, homes }: Pointed): void => {
  const { callId, type, key, weight, controllerAddress, problems } = call;
  const places = homes.map(({ nodeId, load, reserved, capacity }) => ({ nodeId, load, reserved, capacity }));
  pilot.meters.count(`call.${action}`);
  pilot.logger.info(
    { callId, type, key, weight, controllerAddress, homes: places, problems },
    `call.${action}`,
  );
};

/** Longer ones are cut: nothing legitimate comes near, and events are kept. */
const mostCharacters = 512;

/** What every attempt.* event says of its call. */
export const attempt = (call: Call) => ({
  attemptId: freshId(),
  at: new Date().toISOString(),
  callId: call.callId.slice(0, mostCharacters),
  fromUri: call.fromUri.slice(0, mostCharacters),
  toUri: call.toUri.slice(0, mostCharacters),
  controllerAddress: call.controllerAddress,
});
