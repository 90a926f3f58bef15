import { freshId } from '@reelstream/events';
import type { InviteReceived } from '@reelstream/sip';
import { answer, describeMedia, follow, openLeg, refuse } from './answer.ts';
import { encryptionObstacle } from './call.ts';
import type { Call } from './call.ts';
import type { CaptureNode } from './capture-node.ts';
import type { RefusalCause } from './core/admission.ts';
import { journalStart } from './journal-start.ts';
import type { LiveSession } from './live-session.ts';

/**
 * A call with a session of its own: see whether it can be taken, bind its sockets, journal that it has started, answer,
 * and follow its dialog. Whatever ends it before the 200 has left releases all it took. Resolves with the session;
 * undefined for a call that was refused.
 */
export const openSession = async (
  node: CaptureNode,
  invite: InviteReceived,
  call: Call,
): Promise<LiveSession | undefined> => {
  await using undo = new AsyncDisposableStack();
  const obstacle = admit(node, call);
  if (obstacle) return refused(node, invite, obstacle);
  const sessionId = occupyPlace(node, call, undo);
  const leg = await openLeg(node, call, sessionId);
  if (!leg) return refused(node, invite, 'no-capacity');
  undo.defer(() => node.recorder.discard(sessionId));
  const body = describeMedia(call, leg);
  const session = await journalStart(node, call, leg, sessionId, undo);
  const dialog = await answer(node, invite, leg, body);
  undo.move();
  follow(node, session, leg, call, dialog);

  return session;
};

const refused = async (
  node: CaptureNode,
  invite: InviteReceived,
  cause: RefusalCause,
): Promise<undefined> => {
  await refuse(node, invite, cause);
};

/** Why a call can't be taken, or undefined if it can. */
export const admit = (node: CaptureNode, call: Call): RefusalCause | undefined =>
  call.lines.length === 0 ? (encryptionObstacle(call) ?? 'bad-offer') : node.status.obstacle(call.weight);

const occupyPlace = (node: CaptureNode, { weight }: Call, undo: AsyncDisposableStack): string => {
  const sessionId = freshId();
  node.status.occupy(sessionId, weight);
  undo.defer(() => node.status.free(sessionId));

  return sessionId;
};
