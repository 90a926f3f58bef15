import { claimSubject } from '@reelstream/events';
import { JournalWriteError } from '@reelstream/recording';
import { SipError } from '@reelstream/sip';
import type { InviteReceived } from '@reelstream/sip';
import { attempt, refuse } from './answer.ts';
import { answerAgain, legAwaiting } from './answer-again.ts';
import { readCall } from './call.ts';
import type { Call } from './call.ts';
import type { CaptureNode } from './capture-node.ts';
import { takeLeg } from './leg-of-pair.ts';
import { isIdle } from './idle-recording.ts';
import { openIdle } from './open-idle.ts';
import { openSession } from './open-session.ts';

/**
 * The story of an INVITE: read it, then give it a session of its own; or, where a call comes in two dialogs, one for both.
 * Never rejects.
 */
export const takeInvite = async (node: CaptureNode, invite: InviteReceived): Promise<void> => {
  try {
    const call = readCall(node, invite.info);
    const { pair } = call;
    claimPlace(node, call);
    const begun = legAwaiting(node, invite);
    if (begun) await answerAgain(node, invite, call, begun);
    else if (pair) await node.pairs.inTurn(pair.key, () => takeLeg(node, invite, call, pair));
    else if (isIdle(call)) await openIdle(node, invite, call);
    else await openSession(node, invite, call);
  } catch (error) {
    await giveUp(node, invite, error);
  }
};

/** The pilot that sent it here learns that it has come. */
const claimPlace = (node: CaptureNode, { info: { callId } }: Call): void => {
  const { nodeId } = node.config;
  node.status.claim(callId);
  node.bus.publish(claimSubject(nodeId), { callId, home: nodeId });
};

const giveUp = async (node: CaptureNode, invite: InviteReceived, error: unknown): Promise<void> => {
  if (error instanceof SipError && error.code === 'SIP_CANCELLED')
    return node.events.say('attempt.cancelled', attempt(invite, 'cancelled'));
  if (error instanceof SipError && error.code === 'SIP_DISCONNECTED')
    return node.log.warn(
      { callId: invite.info.callId },
      'SIP server went before the answer, which left no trace',
    );
  node.log.error({ error, callId: invite.info.callId }, 'INVITE could not be taken');
  if (isStorageTrouble(error)) return refuse(node, invite, 'storage');
  const status = 500;
  if (await invite.reject(status))
    node.events.say('attempt.refused', { ...attempt(invite, 'internal-error'), status });
};

const storageCodes = ['ENOSPC', 'EDQUOT', 'EROFS', 'EIO'];

const isStorageTrouble = (error: unknown): boolean =>
  error instanceof JournalWriteError ||
  (error instanceof Error && 'code' in error && storageCodes.some((code) => code === error.code));
