import { answer, attend, describeMedia } from './answer.ts';
import type { Call } from './call.ts';
import type { CaptureNode } from './capture-node.ts';
import { dialogKey } from './leg.ts';
import type { Leg } from './leg.ts';
import { secureLeg } from './secure-leg.ts';
import type { InviteReceived } from '@reelstream/sip';

/**
 * The leg whose 200 an earlier life of this node has journalled, or this one has given to a SIP server that went, and which has
 * not left perhaps: now its INVITE comes again.
 */
export const legAwaiting = ({ unconfirmed }: CaptureNode, { info }: InviteReceived): Leg | undefined => {
  const key = dialogKey(info.callId, info.from.parameters['tag'] ?? '');
  const leg = unconfirmed.get(key);
  unconfirmed.delete(key);

  return leg?.session?.isOver === false ? leg : undefined;
};

/** Answers it as it would have been: its session is there, and so are its sockets. */
export const answerAgain = async (
  node: CaptureNode,
  invite: InviteReceived,
  call: Call,
  leg: Leg,
): Promise<void> => {
  const { session } = leg;
  if (!session) return;
  node.log.info({ callId: leg.info.callId, sessionId: session.sessionId }, 'INVITE came again');
  try {
    const body = describeMedia(call, leg);
    session.negotiated(leg.negotiated);
    await secureLeg(node, session, leg);
    await session.describe('dialog', () => ({}));
    attend(node, session, leg, await answer(node, invite, leg, body));
  } catch (error) {
    void session.left(leg, 'interrupted');
    throw error;
  }
};
