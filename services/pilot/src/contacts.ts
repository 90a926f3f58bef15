import { addressFor, audioOnlyParameter, sipPortOf } from '@reelstream/domain';
import type { Heartbeat } from '@reelstream/events';
import { formatUri } from '@reelstream/sip';
import type { RedirectContact } from '@reelstream/sip';
import type { Call } from './core/call.ts';

/**
 * A home's URI for this call: the user that was dialled, the address its controller knows, the transport it used; and
 * for a rule that wants the audio alone a parameter that says so, which comes back in the request URI (RFC 3261
 * §8.1.3.4). Whoever makes that up limits the recording of their own direct call, and nothing else.
 */
export const homeUri = (home: Heartbeat, call: Call): string => `${plainUri(home, call)}${wishOf(call)}`;

const wishOf = ({ rule }: Call): string =>
  rule?.action.kind === 'record' && rule.action.media === 'audio' ? `;${audioOnlyParameter}` : '';

const plainUri = (home: Heartbeat, call: Call): string =>
  formatUri({
    user: call.dialledUser,
    host: addressFor(home.advertise, call.controllerAddress, home.address),
    port: sipPortOf(home.sip, call.transport),
    transport: call.transport,
  });

/** Contacts of a 302, best first: q 1.0, 0.9, 0.8. */
export const contactsFor = (homes: readonly Heartbeat[], call: Call): readonly RedirectContact[] =>
  homes.map((home, index) => ({ uri: homeUri(home, call), q: (10 - index) / 10 }));
