import { freshId } from '@reelstream/events';
import type { Dialog, InviteReceived } from '@reelstream/sip';
import { contactTowards } from './call.ts';
import type { Call } from './call.ts';
import { addressTowards } from './capture-node.ts';
import type { CaptureNode } from './capture-node.ts';
import { openSessions } from './core/communication-sessions.ts';
import type { RefusalCause } from './core/admission.ts';
import { Leg } from './leg.ts';
import type { LiveSession } from './live-session.ts';
import { bitrateOf } from './media-terms.ts';
import { takeAck, takeOffer } from './offer.ts';
import { snapshotWay } from './snapshot.ts';

/** The dialog that a call opens; no line of it has a socket yet. */
export const newLeg = (
  node: CaptureNode,
  { info, type, audioOnly, invitation, srtp, isOurs = false }: Call,
): Leg => {
  const { source, callId, from, to } = info;
  const { metadata, bib } = invitation;

  return new Leg({
    type,
    info: {
      callId,
      fromUri: from.uri,
      toUri: to.uri,
      transport: source.transport,
      remoteAddress: `${source.address}:${source.port}`,
    },
    opener: { tag: from.parameters['tag'] ?? '', isUs: isOurs },
    audioOnly,
    address: addressTowards(node, info),
    contact: contactTowards(node, info, type),
    sdp: { sessionId: String(Date.now()), version: 0 },
    lines: [],
    encryption: { policy: srtp },
    metadata,
    recorded: type === 'siprec' ? [...openSessions(metadata)] : [],
    snapshotWay: type === 'siprec' ? snapshotWay(node, info) : undefined,
    snapshots: 0,
    bib: bib && { opened: bib, now: bib },
  });
};

/** Binds a socket for each line of a call, and makes its leg of them; undefined if there are none to be had. */
export const openLeg = async (node: CaptureNode, call: Call, sessionId: string): Promise<Leg | undefined> => {
  const { info, lines, pair } = call;
  const numbered = lines.map((line, place) => ({ ...line, trackNumber: (pair?.trackNumber ?? 0) + place }));
  const tracks = numbered.map(({ index, kind, trackNumber }) => ({
    trackNumber,
    mediaType: kind,
    ...bitrateOf(call.invitation.offer?.media[index]),
  }));
  const allocation = await node.recorder.allocate(sessionId, tracks, node.config.host);
  if (!allocation.ok) {
    node.log.warn({ ...allocation, callId: info.callId }, 'no sockets for a call');

    return undefined;
  }
  const leg = newLeg(node, call);
  for (const line of numbered) {
    const bound = allocation.tracks.find(({ trackNumber }) => trackNumber === line.trackNumber);
    leg.add({ ...line, port: bound?.rtpPort ?? 0 });
  }

  return leg;
};

/** Our answer to the offer, or our offer if there was none. */
export const describeMedia = ({ invitation: { offer } }: Call, leg: Leg): string =>
  offer ? leg.answer(offer).sdp : leg.offer();

/** RFC 3261 §17.1.1.2, timer B: so long a caller sends its INVITE anew. */
export const inviteLifeMs = 32_000;

/**
 * The dialog of our 200. If the SIP server went meanwhile it is only supposed to stand: then the INVITE may come again, and is
 * answered for the same session, or the ACK comes, or, where the caller has heard nothing, neither.
 */
export const answer = async (
  node: Pick<CaptureNode, 'unconfirmed'>,
  invite: InviteReceived,
  leg: Leg,
  body: string,
): Promise<Dialog> => {
  const dialog = await invite.accept({ body, headers: { contact: leg.contact } });
  if (dialog.supposed) awaitSigns(node, leg, dialog);

  return dialog;
};

/** Of a dialog that is only supposed to stand: without a sign of it in time it is ended. */
const awaitSigns = ({ unconfirmed }: Pick<CaptureNode, 'unconfirmed'>, leg: Leg, dialog: Dialog): void => {
  unconfirmed.set(leg.id, leg);
  const limit = setTimeout(() => {
    if (unconfirmed.get(leg.id) !== leg) return;
    unconfirmed.delete(leg.id);
    const { session } = leg;
    if (session?.legs.has(leg)) dialog.onEnded(() => session.left(leg, 'interrupted'));
    void dialog.bye('the SIP server was away');
  }, inviteLifeMs);
  limit.unref();
};

/** From here on the peer's requests find the session. */
export const follow = (
  node: CaptureNode,
  session: LiveSession,
  leg: Leg,
  call: Call,
  dialog: Dialog,
): void => {
  leg.session = session;
  session.answered();
  session.keepBody('invite', call.info.body);
  attend(node, session, leg, dialog);
};

/** What comes in the dialog is for this leg of this session. */
export const attend = (node: CaptureNode, session: LiveSession, leg: Leg, dialog: Dialog): void => {
  dialog.onAck((body) => takeAck(node, leg, body));
  dialog.onOffer((request) => void takeOffer(node, leg, request));
  session.follow(leg, dialog);
};

const statusOf: Readonly<Record<RefusalCause, number>> = {
  draining: 503,
  storage: 503,
  'no-capacity': 503,
  'bad-offer': 488,
  'sdes-without-tls': 488,
  'no-srtp-suite': 488,
  'no-srtp-key': 488,
  'dtls-unsupported': 488,
};

/** RFC 3261 §21.5.4: Retry-After keeps the peer from us altogether, so it is as short as can be. */
export const refuse = async (
  node: CaptureNode,
  invite: InviteReceived,
  cause: RefusalCause,
): Promise<void> => {
  const status = statusOf[cause];
  const headers: Record<string, string> = status === 503 ? { 'retry-after': '1' } : {};
  if (await invite.reject(status, { headers }))
    node.events.say('attempt.refused', { ...attempt(invite, cause), status });
  else node.events.say('attempt.cancelled', attempt(invite, 'cancelled'));
};

/** What every attempt.* event says of its call. */
export const attempt = ({ info }: InviteReceived, cause: string) => ({
  attemptId: freshId(),
  at: new Date().toISOString(),
  callId: info.callId,
  fromUri: info.from.uri,
  toUri: info.to.uri,
  controllerAddress: info.source.address,
  cause,
});
