import { freshId } from '@reelstream/events';
import type { Dialog, InviteReceived } from '@reelstream/sip';
import { answer, newLeg, refuse } from './answer.ts';
import type { Call } from './call.ts';
import type { CaptureNode } from './capture-node.ts';
import { wait } from './idle-recording.ts';
import type { Leg } from './leg.ts';
import { takeAck, takeOffer } from './offer.ts';

/** Takes the dialog, and waits: there is no session of ours before there is something to record. */
export const openIdle = async (node: CaptureNode, invite: InviteReceived, call: Call): Promise<void> => {
  const obstacle = node.status.obstacle(0);
  if (obstacle) return refuse(node, invite, obstacle);
  const leg = newLeg(node, call);
  const body = call.invitation.offer ? leg.answer(call.invitation.offer, { waits: true }).sdp : leg.offer();
  await wait(node, leg, false);
  try {
    attendIdle(node, leg, await answer(node, invite, leg, body));
  } catch (error) {
    void node.idle.drop(leg);
    throw error;
  }
};

/** What comes in the dialog of a recording session that waits. */
export const attendIdle = (node: CaptureNode, leg: Leg, dialog: Dialog): void => {
  const hadSession = node.idle.hadSession(leg);
  leg.dialog = dialog;
  dialog.onAck((text) => takeAck(node, leg, text));
  dialog.onOffer((request) => void takeOffer(node, leg, request));
  dialog.onEnded(() => {
    // RFC 7866 knows such dialogs; who looks for the call must find what became of it.
    if (!hadSession) node.events.say('attempt.cancelled', attemptOf(leg));

    return node.idle.drop(leg);
  });
};

const attemptOf = ({ info: { callId, fromUri, toUri, remoteAddress } }: Leg) => ({
  attemptId: freshId(),
  at: new Date().toISOString(),
  callId,
  fromUri,
  toUri,
  controllerAddress: remoteAddress.replace(/:\d+$/, ''),
  cause: 'no-communication-session',
});
