import type { SystemTag } from '@reelstream/events';
import { heldFrom, oddIn, saidIn, tracksAfter } from './call.ts';
import type { Call } from './call.ts';
import { currentOrigin } from './capture-node.ts';
import type { CaptureNode } from './capture-node.ts';
import { withFlags } from './core/flags.ts';
import { correlationOf } from './core/tracks.ts';
import type { Leg } from './leg.ts';
import { LiveSession } from './live-session.ts';
import { secureLeg } from './secure-leg.ts';

const withTags = (tags: readonly SystemTag[]): { readonly tags?: SystemTag[] } =>
  tags.length === 0 ? {} : { tags: [...tags] };

/** From here on a crash leaves a session that the next life ends. */
export const journalStart = async (
  node: CaptureNode,
  call: Call,
  leg: Leg,
  sessionId: string,
  undo: AsyncDisposableStack,
): Promise<LiveSession> => {
  const { clusterId, nodeId, hostId } = node.config;
  const session = await LiveSession.open(node, sessionId);
  undo.defer(() => session.discard());
  session.negotiated(leg.negotiated);
  session.expect(leg);
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
        metadata: leg.metadata,
        recorded: leg.recorded,
        pairingKey: call.pair?.key,
        continues: call.pair?.continues,
      }),
      tracks: [...tracksAfter([], leg, saidIn(call, leg.metadata, leg.recorded), stamp.time)],
      ...withTags(heldFrom(leg, stamp.time)),
      ...withFlags(undefined, oddIn(call.invitation, leg)),
    },
  }));

  return session;
};
