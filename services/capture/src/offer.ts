import { weightOf } from '@reelstream/domain';
import type { Track } from '@reelstream/events';
import { bibLegAfter, mergeMetadata, parseSdp, readInvite } from '@reelstream/sip';
import type { InDialogRequest, Invitation, RequestInfo } from '@reelstream/sip';
import { oddIn, saidIn, tracksAfter, wantedLines } from './call.ts';
import type { WantedLine } from './call.ts';
import type { CaptureNode } from './capture-node.ts';
import { withFlags } from './core/flags.ts';
import type { Said } from './core/participants.ts';
import { nextTrackNumber } from './core/sealing.ts';
import { correlationOf, redefines } from './core/tracks.ts';
import type { RecordedLine } from './leg-state.ts';
import type { Leg } from './leg.ts';
import type { LiveSession } from './live-session.ts';
import { secureLeg } from './secure-leg.ts';
import { turnTo } from './next-session.ts';
import { askForSnapshot } from './snapshot.ts';

/**
 * A re-INVITE or UPDATE: an offer gets its mirrored answer, new lines become tracks, metadata is merged; an INVITE
 * without an offer gets ours (RFC 3261 §14.2), and its ACK carries the answer. One that brings another communication session
 * begins the next session of ours. Never rejects.
 */
export const takeOffer = (node: CaptureNode, leg: Leg, request: InDialogRequest): Promise<void> =>
  leg.inTurn(async () => {
    const { info } = request;
    const { session } = leg;
    try {
      const invitation = readRequest(leg, info);
      if (invitation.metadata) leg.metadata = mergeMetadata(leg.metadata, invitation.metadata);
      const body = await answerFor(node, leg, info, invitation);
      const headers = { contact: leg.contact };
      request.respond(
        200,
        body === undefined ? { headers } : { body, contentType: 'application/sdp', headers },
      );
      void leg.session?.jot();
      // After an INVITE the client is asked once it has acknowledged.
      if (info.method === 'UPDATE') void askForSnapshot(node, leg);
    } catch (error) {
      node.log.error({ error, sessionId: session?.sessionId }, `${info.method} could not be taken`);
      request.respond(500);
    }
  });

/** Does what a request asks for; the body of its 200. */
const answerFor = async (
  node: CaptureNode,
  leg: Leg,
  info: RequestInfo,
  invitation: Invitation,
): Promise<string | undefined> => {
  const { session } = leg;
  if (leg.type === 'siprec' && !session?.isOver) {
    const next = await turnTo(node, leg, info, invitation);
    if (next) return next.body;
  }
  if (!session) throw new Error('a dialog without a session');
  session.keepBody(info.method.toLowerCase(), info.body);
  if (invitation.offer) await addTracks(node, session, leg, invitation);
  const body = bodyFor(leg, info.method, invitation);
  const { type, metadata, recorded } = leg;
  const said = saysWho(invitation) ? saidIn({ info, invitation, type }, metadata, recorded) : undefined;
  await secureLeg(node, session, leg);
  await journalChange(session, leg, said, invitation);

  return body;
};

/** What it says, a built-in bridge's far end from wherever it is said. */
const readRequest = (leg: Leg, info: RequestInfo): Invitation => {
  const invitation = readInvite(info);
  if (!leg.bib) return invitation;
  const now = bibLegAfter(info, leg.bib.opened, leg.bib.now);
  leg.bib = { ...leg.bib, now };

  return { ...invitation, bib: now };
};

/** The ACK of a 200 that carried our offer brings the answer. */
export const takeAck = (node: CaptureNode, leg: Leg, body: string): void => {
  const { session } = leg;
  node.unconfirmed.delete(leg.id);
  void askForSnapshot(node, leg);
  if (body === '' || !session) return;
  session.keepBody('ack', body);
  const answer = parseSdp(body);
  if (answer.media.length === 0) return;
  leg.answered(answer);
  // It comes once: whoever is killed now must not have to ask for it.
  void session.jot();
  settle(node, session, leg).catch((error: unknown) =>
    node.log.error({ error, sessionId: session.sessionId }, 'what an ACK brought could not be journalled'),
  );
};

/** A BYE that comes right behind it waits: what was agreed is part of the session, and of how its media is read. */
const settle = async (node: CaptureNode, session: LiveSession, leg: Leg): Promise<void> => {
  using _ = session.hold();
  await secureLeg(node, session, leg);
  await journalChange(session, leg, undefined, undefined);
};

const bodyFor = (leg: Leg, method: string, { offer }: Invitation): string | undefined => {
  if (offer) return leg.answer(offer).sdp;

  return method === 'INVITE' ? leg.offer() : undefined;
};

/** RFC 3264 §8.2: the place of a line that was taken away may be used for another stream. */
const isNew = ({ kind, label }: WantedLine, before: RecordedLine | undefined): boolean =>
  before === undefined ||
  before.kind !== kind ||
  (before.isRemoved && label !== undefined && label !== before.label);

/** Lines that are new, and those that must become other tracks. */
const addedBy = (
  invitation: Invitation,
  leg: Leg,
  tracks: readonly Track[],
): readonly (WantedLine & Pick<RecordedLine, 'follows'>)[] =>
  wantedLines(invitation, leg.audioOnly, leg.encryption.policy).flatMap((line) => {
    const before = leg.lineAt(line.index);
    if (!before || isNew(line, before)) return [line];
    const track = tracks.find(({ trackNumber }) => trackNumber === before.trackNumber);
    const codecs = invitation.offer?.media[line.index]?.codecs ?? [];

    return track && redefines(codecs, track) ? [{ ...line, follows: track.trackNumber }] : [];
  });

/** Lines that are new to the dialog get a socket; one that can't have one is refused in the answer. */
const addTracks = async (
  node: CaptureNode,
  session: LiveSession,
  leg: Leg,
  invitation: Invitation,
): Promise<void> => {
  const { sessionId, record } = session;
  const added = record ? addedBy(invitation, leg, record.tracks) : [];
  if (added.length === 0 || !record || node.status.obstacle(weightOf(added.map(({ kind }) => kind)))) return;
  // Tracks 0 and 1 of a built-in bridge are those of its two dialogs, whether or not both have come.
  const first = Math.max(nextTrackNumber(record.tracks), leg.type === 'cucm' ? 2 : 0);
  const tracks = added.map(({ kind }, place) => ({ trackNumber: first + place, mediaType: kind }));
  const allocation = await node.recorder.allocate(sessionId, tracks, node.config.host);
  if (!allocation.ok) return node.log.warn({ ...allocation, sessionId }, 'no sockets for further tracks');
  if (session.isOver) return void (await node.recorder.release(sessionId));
  for (const [place, line] of added.entries()) {
    const port = allocation.tracks.find(({ trackNumber }) => trackNumber === first + place)?.rtpPort ?? 0;
    leg.add({ ...line, trackNumber: first + place, port });
  }
  const kinds = [...record.tracks.map(({ mediaType }) => mediaType), ...added.map(({ kind }) => kind)];
  node.status.occupy(sessionId, weightOf(kinds));
};

const saysWho = ({ metadata, cubeParticipants, bib }: Invitation): boolean =>
  metadata !== undefined || cubeParticipants.length > 0 || bib !== undefined;

const journalChange = async (
  session: LiveSession,
  leg: Leg,
  said: Said | undefined,
  invitation: Invitation | undefined,
): Promise<void> => {
  session.negotiated(leg.negotiated);
  await session.describe(said ? 'metadata' : 'dialog', (record, now) => ({
    tracks: [...tracksAfter(record.tracks, leg, said, now)],
    correlation: invitation
      ? {
          ...record.correlation,
          ...correlationOf({ ...invitation, metadata: leg.metadata, recorded: leg.recorded }),
        }
      : record.correlation,
    ...withFlags(record.flags, invitation ? oddIn(invitation, leg) : []),
  }));
  // A hold is told where it begins and ends; what is so already is not told again.
  for (const { trackNumber, isActive } of leg.lines)
    await session.tag(isActive ? 'TrackActive' : 'TrackInactive', { trackNumber });
  session.heardOf(leg);
};
