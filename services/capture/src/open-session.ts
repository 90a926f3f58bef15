import { freshId } from '@reelstream/events';
import type { SystemTag } from '@reelstream/events';
import type { InviteReceived } from '@reelstream/sip';
import { answer, describeMedia, follow, openLeg, refuse } from './answer.ts';
import { encryptionObstacle, heldFrom, oddIn, saidIn, tracksAfter } from './call.ts';
import type { Call } from './call.ts';
import { currentOrigin } from './capture-node.ts';
import type { CaptureNode } from './capture-node.ts';
import type { RefusalCause } from './core/admission.ts';
import { withFlags } from './core/flags.ts';
import { correlationOf } from './core/tracks.ts';
import type { Leg } from './leg.ts';
import { LiveSession } from './live-session.ts';
import { secureLeg } from './secure-leg.ts';

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
  const dialog = await answer(invite, leg, body);
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

const withTags = (tags: readonly SystemTag[]): { readonly tags?: SystemTag[] } =>
  tags.length === 0 ? {} : { tags: [...tags] };

/** From here on a crash leaves a session that the next life ends. */
const journalStart = async (
  node: CaptureNode,
  call: Call,
  leg: Leg,
  sessionId: string,
  undo: AsyncDisposableStack,
): Promise<LiveSession> => {
  const { clusterId, nodeId, hostId } = node.config;
  const session = await LiveSession.open(node, sessionId);
  undo.defer(() => session.discard());
  await session.negotiated(leg.negotiated);
  await secureLeg(node, session, leg);
  await session.execute((stamp) => ({
    type: 'start',
    stamp,
    origin: currentOrigin(node),
    session: {
      sessionId,
      clusterId,
      home: nodeId,
      host: hostId,
      controller: { type: call.type, address: call.info.source.address },
      dialogs: [leg.info],
      correlation: correlationOf({
        ...call.invitation,
        pairingKey: call.pair?.key,
        continues: call.pair?.continues,
      }),
      tracks: [...tracksAfter([], leg, saidIn(call, leg.metadata), stamp.time)],
      ...withTags(heldFrom(leg, stamp.time)),
      ...withFlags(undefined, oddIn(call.invitation, leg)),
    },
  }));

  return session;
};
