import { addressFor } from '@reelstream/domain';
import type { Heartbeat } from '@reelstream/events';
import { formatUri } from '@reelstream/sip';
import type { RedirectContact } from '@reelstream/sip';
import type { Call } from './core/call.ts';

/** A home's URI for this call: the user that was dialled, the address its controller knows, the transport it used. */
export const homeUri = (home: Heartbeat, call: Call): string =>
  formatUri({
    user: call.dialledUser,
    host: addressFor(home.advertise, call.controllerAddress, home.address),
    port: home.sip?.port ?? 5060,
    transport: call.transport,
  });

/** Contacts of a 302, best first: q 1.0, 0.9, 0.8. */
export const contactsFor = (homes: readonly Heartbeat[], call: Call): readonly RedirectContact[] =>
  homes.map((home, index) => ({ uri: homeUri(home, call), q: (10 - index) / 10 }));
