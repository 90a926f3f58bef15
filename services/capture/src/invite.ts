import { claimSubject, freshId } from '@reelstream/events';
import { JournalWriteError } from '@reelstream/recording';
import { SipError } from '@reelstream/sip';
import type { Dialog, InviteReceived } from '@reelstream/sip';
import { contactTowards, readCall, saidIn, tracksAfter } from './call.ts';
import type { Call } from './call.ts';
import { addressTowards, currentOrigin } from './capture-node.ts';
import type { CaptureNode } from './capture-node.ts';
import type { RefusalCause } from './core/admission.ts';
import { correlationOf } from './core/tracks.ts';
import { Leg } from './leg.ts';
import { LiveSession } from './live-session.ts';
import { takeAck, takeOffer } from './offer.ts';

/**
 * The story of an INVITE: read it, see whether it can be taken, bind its sockets, journal that it has started, answer,
 * and follow its dialog. Whatever ends it before the 200 has left releases all it took. Never rejects.
 */
export const takeInvite = async (node: CaptureNode, invite: InviteReceived): Promise<void> => {
  try {
    await using undo = new AsyncDisposableStack();
    const call = readCall(invite.info);
    claimPlace(node, call);
    const obstacle = admit(node, call);
    if (obstacle) return await refuse(node, invite, obstacle);
    const sessionId = occupyPlace(node, call, undo);
    const leg = await allocate(node, call, sessionId, undo);
    if (!leg) return await refuse(node, invite, 'no-capacity');
    const body = describeMedia(call, leg);
    const session = await journalStart(node, call, leg, sessionId, undo);
    const dialog = await answer(invite, leg, body);
    undo.move();
    follow(node, session, leg, call, dialog);
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

const admit = (node: CaptureNode, { lines, weight }: Call): RefusalCause | undefined =>
  lines.length === 0 ? 'bad-offer' : node.status.obstacle(weight);

const occupyPlace = (node: CaptureNode, { weight }: Call, undo: AsyncDisposableStack): string => {
  const sessionId = freshId();
  node.status.occupy(sessionId, weight);
  undo.defer(() => node.status.free(sessionId));

  return sessionId;
};

/** Binds a socket for each line; undefined if there are none to be had. */
const allocate = async (
  node: CaptureNode,
  { info, type, lines, invitation }: Call,
  sessionId: string,
  undo: AsyncDisposableStack,
): Promise<Leg | undefined> => {
  const tracks = lines.map(({ kind }, trackNumber) => ({ trackNumber, mediaType: kind }));
  const allocation = await node.recorder.allocate(sessionId, tracks, node.config.host);
  if (!allocation.ok) {
    node.log.warn({ ...allocation, callId: info.callId }, 'no sockets for a call');

    return undefined;
  }
  undo.defer(() => node.recorder.discard(sessionId));
  const address = addressTowards(node, info);
  const leg = new Leg({ type, request: info, address, contact: contactTowards(node, info, type) });
  leg.metadata = invitation.metadata;
  for (const [trackNumber, line] of lines.entries()) {
    const port = allocation.tracks.find((track) => track.trackNumber === trackNumber)?.rtpPort ?? 0;
    leg.add({ ...line, trackNumber, port });
  }

  return leg;
};

/** Our answer to the offer, or our offer if there was none. */
const describeMedia = ({ invitation: { offer } }: Call, leg: Leg): string =>
  offer ? leg.answer(offer).sdp : leg.offer();

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
      correlation: correlationOf(call.invitation),
      tracks: [...tracksAfter([], leg, saidIn(call, leg.metadata), stamp.time)],
    },
  }));

  return session;
};

/** Undefined if the SIP server went while we waited: then nobody knows whether the 200 has left. */
const answer = async (invite: InviteReceived, leg: Leg, body: string): Promise<Dialog | undefined> => {
  try {
    return await invite.accept({ body, headers: { contact: leg.contact } });
  } catch (error) {
    if (error instanceof SipError && error.code === 'SIP_DISCONNECTED') return undefined;
    throw error;
  }
};

const follow = (
  node: CaptureNode,
  session: LiveSession,
  leg: Leg,
  call: Call,
  dialog: Dialog | undefined,
): void => {
  session.answered();
  session.keepBody('invite', call.info.body);
  if (!dialog) return void session.end('interrupted');
  dialog.onAck((body) => takeAck(node, session, leg, body));
  dialog.onOffer((request) => void takeOffer(node, session, leg, request));
  session.follow(leg, dialog);
};

const statusOf: Readonly<Record<RefusalCause, number>> = {
  draining: 503,
  storage: 503,
  'no-capacity': 503,
  'bad-offer': 488,
};

/** RFC 3261 §21.5.4: Retry-After keeps the peer from us altogether, so it is as short as can be. */
const refuse = async (node: CaptureNode, invite: InviteReceived, cause: RefusalCause): Promise<void> => {
  const status = statusOf[cause];
  const headers: Record<string, string> = status === 503 ? { 'retry-after': '1' } : {};
  if (await invite.reject(status, { headers }))
    node.events.say('attempt.refused', { ...attempt(invite, cause), status });
  else node.events.say('attempt.cancelled', attempt(invite, 'cancelled'));
};

const giveUp = async (node: CaptureNode, invite: InviteReceived, error: unknown): Promise<void> => {
  if (error instanceof SipError && error.code === 'SIP_CANCELLED')
    return node.events.say('attempt.cancelled', attempt(invite, 'cancelled'));
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

const attempt = ({ info }: InviteReceived, cause: string) => ({
  attemptId: freshId(),
  at: new Date().toISOString(),
  callId: info.callId,
  fromUri: info.from.uri,
  toUri: info.to.uri,
  controllerAddress: info.source.address,
  cause,
});
