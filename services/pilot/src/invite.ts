import { profileFor } from '@reelstream/domain';
import { freshId, reservationSubject } from '@reelstream/events';
import type { Heartbeat, Reservation } from '@reelstream/events';
import { glanceAtInvite, parseUri } from '@reelstream/sip';
import type { InviteReceived } from '@reelstream/sip';
import type { Agreed } from './adapters/pair-claims.ts';
import { contactsFor, homeUri } from './contacts.ts';
import { callOf } from './core/call.ts';
import type { Call } from './core/call.ts';
import { decide, homesByKey } from './core/decide.ts';
import { underRule } from './core/rule.ts';
import { tellPlacement } from './explain.ts';
import type { RefusalCause, Verdict, View } from './core/decide.ts';
import { isDraining } from './state.ts';
import type { Pilot } from './state.ts';

/** Where a call goes, best home first, as the homes last spoke. */
type Pointed = { readonly action: 'redirect' | 'proxy'; readonly homes: readonly Heartbeat[] };

/** The way of an INVITE through the pilot: read, placed, reserved, and pointed to its home. */
export const onInvite = (pilot: Pilot, invite: InviteReceived): void => {
  const call = readCall(pilot, invite);
  let cancelled = false;
  invite.onCancelled(() => {
    cancelled = true;
    pilot.reservations.cancel(call.callId);
    pilot.memory.settle(call.callId, 'cancelled');
    pilot.facts.say('attempt.cancelled', { ...attempt(call), cause: 'cancelled-by-controller' });
  });
  if (!call.paired)
    return point(pilot, invite, call, { verdict: decide(viewOf(pilot, call), call), legs: 1 });
  placeLeg(pilot, call)
    .then((placed) => {
      if (!cancelled) point(pilot, invite, call, placed);
    })
    .catch((error: unknown) => pilot.logger.error({ error, callId: call.callId }, 'leg not placed'));
};

/** Where a call goes; `legs` counts those of a pair for which places are to be held. */
type Placed = { readonly verdict: Verdict; readonly legs: Agreed['legs'] };

/** The legs of a pair go where all pilots agree that they go. */
const placeLeg = async (pilot: Pilot, call: Call): Promise<Placed> => {
  const view = viewOf(pilot, call);
  const own = decide(view, call);
  const { homes, legs } = await pilot.pairs.agree(call.key, {
    proposal: own.action === 'refuse' ? [] : own.homes,
    byKey: () => homesByKey(pilot.cluster.homes, call),
  });

  return { verdict: decide({ ...viewOf(pilot, call), partnerHomes: homes }, call), legs };
};

const point = (pilot: Pilot, invite: InviteReceived, call: Call, { verdict, legs }: Placed): void => {
  if (verdict.action === 'refuse') return refuse(pilot, invite, call, verdict);
  const { action } = verdict;
  const homes = verdict.homes.flatMap((id) => pilot.cluster.homes.node(id) ?? []);
  reserve(pilot, call, { action, homes }, legs);
  tellPlacement(pilot, call, { verdict });
  const [best] = homes;
  if (action === 'proxy' && best) void invite.proxy(homeUri(best, call));
  else void invite.redirect(contactsFor(homes, call));
};

const readCall = ({ settings }: Pilot, { info }: InviteReceived): Call => {
  const invitation = glanceAtInvite(info);
  const profile = profileFor(settings.profiles, info.source.address);
  const dialledUser = parseUri(info.requestUri).user;
  const call = callOf(info, invitation, { profile: profile.profile, dialledUser });

  return underRule({ ...call, profile }, invitation, settings.rules);
};

const viewOf = (pilot: Pilot, call: Call): View => ({
  homes: pilot.cluster.homes,
  partnerHomes: [],
  proxied: call.followsRedirect === false || pilot.reservations.followsNoRedirect(call.controllerAddress),
  draining: isDraining(pilot),
});

/** Holds the call's place at its first home, and waits for a home to claim it. */
const reserve = (
  pilot: Pilot,
  call: Call,
  { action, homes: [best, ...others] }: Pointed,
  legs: Agreed['legs'],
): void => {
  if (!best) return;
  const weight = legs * call.weight;
  const reservation: Reservation = {
    reservationId: freshId(),
    callId: call.callId,
    weight,
    ttlMs: pilot.reservationTimeoutMs,
    ...(call.paired ? { pairingKey: call.key } : {}),
  };
  pilot.bus.publish(reservationSubject(best.nodeId), reservation);
  // It comes back to us as to the other pilots, but the next call may be here before.
  pilot.cluster.homes.reserved(best.nodeId, reservation.reservationId, weight);
  // Whichever home takes a leg has to know by what it pairs.
  if (call.paired)
    for (const { nodeId } of others)
      pilot.bus.publish(reservationSubject(nodeId), { ...reservation, weight: 0 });
  const homes = [best, ...others].map(({ nodeId }) => nodeId);
  // A forwarded INVITE gets its home's answer or an error; and without the bus no claim would reach us.
  if (action === 'redirect' && pilot.bus.connected) pilot.reservations.open(call, homes, performance.now());
};

/** At most one second: Retry-After bars every request of the controller meanwhile (RFC 3261 §21.5.4). */
const retryAfterSeconds = 1;

const refuse = (
  pilot: Pilot,
  invite: InviteReceived,
  call: Call,
  verdict: Extract<Verdict, { action: 'refuse' }>,
): void => {
  const { cause } = verdict;
  const status = statusOf(call, cause);
  tellPlacement(pilot, call, { verdict, status });
  const headers: Record<string, string> = status === 503 ? { 'Retry-After': String(retryAfterSeconds) } : {};
  invite.reject(status, { headers }).then(
    (sent) => {
      if (sent) pilot.facts.say('attempt.refused', { ...attempt(call), cause, status });
    },
    (error: unknown) => pilot.logger.error({ error, callId: call.callId }, 'refusal not sent'),
  );
};

const statusOf = ({ rule }: Call, cause: RefusalCause): number =>
  cause === 'rejected-by-rule' && rule?.action.kind === 'reject' ? rule.action.status : 503;

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
