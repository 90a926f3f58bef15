import type { Invitation } from '@reelstream/sip';
import type { Call } from './call.ts';
import type { CaptureNode } from './capture-node.ts';
import { openSessions } from './core/communication-sessions.ts';
import type { Leg } from './leg.ts';

/**
 * A recording session before its first communication session (RFC 7866 §7.1): an offer of which nothing is heard, and no
 * metadata that says that something is on.
 */
export const isIdle = ({ type, invitation: { offer, metadata }, lines }: Call): boolean =>
  type === 'siprec' &&
  offer !== undefined &&
  offer.media.every(({ port, direction }) => port === 0 || direction === 'inactive') &&
  (lines.length === 0 || openSessions(metadata).size === 0);

/** From here on nothing of it is recorded; durable when it resolves. */
export const wait = async (node: CaptureNode, leg: Leg, hadSession: boolean): Promise<void> => {
  await node.idle.keep(leg, hadSession);
  node.log.info({ callId: leg.info.callId }, 'recording session waits');
};

/** Its communication session is over: the session of ours ends, the dialog waits for the next. Gives the body of the 200. */
export const rest = async (
  node: CaptureNode,
  leg: Leg,
  method: string,
  { offer }: Invitation,
): Promise<string | undefined> => {
  const before = leg.session;
  leg.session = undefined;
  leg.recorded = new Set();
  leg.restart([]);
  const body = offer ? leg.answer(offer, { waits: true }).sdp : method === 'INVITE' ? leg.offer() : undefined;
  if (before) {
    await wait(node, leg, true);
    before.leave(leg);
    leg.dialog?.onEnded(() => node.idle.drop(leg));
  } else await node.idle.keep(leg);

  return body;
};
