import type { InviteReceived } from '@reelstream/sip';
import { answer, attempt, newLeg, refuse } from './answer.ts';
import type { Call } from './call.ts';
import type { CaptureNode } from './capture-node.ts';
import { wait } from './idle-recording.ts';
import { takeAck, takeOffer } from './offer.ts';

/** Takes the dialog, and waits: there is no session of ours before there is something to record. */
export const openIdle = async (node: CaptureNode, invite: InviteReceived, call: Call): Promise<void> => {
  const obstacle = node.status.obstacle(0);
  if (obstacle) return refuse(node, invite, obstacle);
  const leg = newLeg(node, call);
  const body = call.invitation.offer ? leg.answer(call.invitation.offer, { waits: true }).sdp : leg.offer();
  const dialog = await answer(invite, leg, body);
  // Nobody knows whether the 200 has left: there is nothing to be lost.
  if (!dialog) return;
  leg.dialog = dialog;
  dialog.onAck((text) => takeAck(node, leg, text));
  dialog.onOffer((request) => void takeOffer(node, leg, request));
  wait(node, leg);
  dialog.onEnded(() => {
    node.idle.delete(leg);
    // RFC 7866 knows such dialogs; who looks for the call must find what became of it.
    node.events.say('attempt.cancelled', attempt(invite, 'no-communication-session'));
  });
};
