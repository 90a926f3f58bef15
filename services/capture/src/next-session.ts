import { weightOf } from '@reelstream/domain';
import { freshId } from '@reelstream/events';
import type { Invitation, RequestInfo } from '@reelstream/sip';
import { wantedLines } from './call.ts';
import type { Call, WantedLine } from './call.ts';
import type { CaptureNode } from './capture-node.ts';
import { openSessions, turnOf } from './core/communication-sessions.ts';
import { rest } from './idle-recording.ts';
import { journalStart } from './journal-start.ts';
import type { RecordedLine } from './leg-state.ts';
import type { Leg } from './leg.ts';

/** The lines that the peer has after a request, with an offer or without. */
const runningAfter = (leg: Leg, { offer }: Invitation) => {
  const lines: readonly { readonly label: string | undefined }[] = offer
    ? offer.media.filter(({ port }) => port > 0)
    : leg.lines.filter(({ isRemoved }) => !isRemoved);

  return {
    labels: new Set(lines.flatMap(({ label }) => (label === undefined ? [] : [label]))),
    hasLines: lines.length > 0,
  };
};

/**
 * A recording session whose communication session has ended, or which brings another: the session of ours ends, and the
 * next one begins in the same dialog, or waits for media. Gives the body of the 200; undefined where the running session just
 * goes on. Throws where the next can't be begun.
 */
export const turnTo = async (
  node: CaptureNode,
  leg: Leg,
  info: RequestInfo,
  invitation: Invitation,
): Promise<{ readonly body: string | undefined } | undefined> => {
  const turn = turnOf(leg.recorded, leg.metadata, runningAfter(leg, invitation));
  if (leg.session && turn.kind === 'same') {
    leg.recorded = turn.recorded;

    return undefined;
  }
  const wanted = wantedAfter(leg, invitation);
  const open = openSessions(leg.metadata);
  if (!isMediaExpected(wanted, leg, invitation, open.size > 0) || turn.kind === 'idle')
    return { body: await rest(node, leg, info.method, invitation) };
  leg.recorded = turn.kind === 'next' ? turn.recorded : open;

  return { body: await begin(node, leg, { info, invitation, ...kindOf(leg, wanted) }) };
};

const kindOf = (leg: Leg, lines: readonly WantedLine[]) => ({
  type: leg.type,
  pair: undefined,
  audioOnly: leg.audioOnly,
  srtp: leg.encryption.policy,
  lines,
  weight: weightOf(lines.map(({ kind }) => kind)),
});

/** Those of the offer, or, where there is none, those that run already. */
const wantedAfter = (leg: Leg, invitation: Invitation): readonly WantedLine[] =>
  invitation.offer
    ? wantedLines(invitation, leg.audioOnly, leg.encryption.policy)
    : leg.lines
        .filter(({ isRemoved }) => !isRemoved)
        .map(({ index, kind, label }) => ({ index, kind, label }));

const isMediaExpected = (
  wanted: readonly WantedLine[],
  leg: Leg,
  { offer }: Invitation,
  hasSession: boolean,
): boolean =>
  wanted.length > 0 &&
  (hasSession ||
    wanted.some(({ index }) =>
      offer ? offer.media[index]?.direction !== 'inactive' : leg.lineAt(index)?.isActive,
    ));

/** Lines that run go over with their sockets, without losing a packet; new ones get theirs, as far as there are any. */
const begin = async (node: CaptureNode, leg: Leg, call: Call): Promise<string | undefined> => {
  const before = leg.session;
  const sessionId = freshId();
  await using undo = new AsyncDisposableStack();
  const numbered = call.lines.map((line, trackNumber) => ({ ...line, trackNumber }));
  const moved = numbered.flatMap((line) => {
    const old = before && leg.lineAt(line.index);

    return old?.kind === line.kind
      ? [{ old, line: { ...old, ...line, label: line.label ?? old.label } }]
      : [];
  });
  const added = numbered.filter(({ index }) => moved.every(({ line }) => line.index !== index));
  const isFull = node.status.obstacle(weightOf(added.map(({ kind }) => kind))) !== undefined;
  if (moved.length === 0 && isFull) throw new Error('no place for the next communication session');
  undo.defer(() => leg.dialog?.bye());
  undo.defer(() => node.status.free(sessionId));
  undo.defer(() => node.recorder.discard(sessionId));
  if (before) {
    const tracks = moved.map(({ old, line }) => ({ from: old.trackNumber, to: line.trackNumber }));
    await node.recorder.handOver(before.sessionId, sessionId, tracks);
    leg.session = undefined;
    node.status.occupy(before.sessionId, 0);
    before.leave(leg);
  }
  const lines: RecordedLine[] = moved.map(({ line }) => line);
  if (!isFull) lines.push(...(await bind(node, sessionId, added)));
  node.status.occupy(sessionId, weightOf(lines.map(({ kind }) => kind)));
  leg.restart(lines);
  const body = call.invitation.offer ? leg.answer(call.invitation.offer).sdp : undefined;
  const session = await journalStart(node, call, leg, sessionId, undo);
  undo.move();
  void node.idle.drop(leg);
  leg.session = session;
  session.answered();
  session.keepBody(call.info.method.toLowerCase(), call.info.body);
  if (leg.dialog) session.follow(leg, leg.dialog);

  return body ?? (call.info.method === 'INVITE' ? leg.offer() : undefined);
};

const bind = async (
  node: CaptureNode,
  sessionId: string,
  added: readonly (WantedLine & { readonly trackNumber: number })[],
): Promise<readonly RecordedLine[]> => {
  if (added.length === 0) return [];
  const tracks = added.map(({ kind, trackNumber }) => ({ trackNumber, mediaType: kind }));
  const allocation = await node.recorder.allocate(sessionId, tracks, node.config.host);
  if (!allocation.ok) {
    node.log.warn({ ...allocation, sessionId }, 'no sockets for the next session');

    return [];
  }

  return added.map((line) => ({
    ...line,
    port: allocation.tracks.find(({ trackNumber }) => trackNumber === line.trackNumber)?.rtpPort ?? 0,
    codecs: [],
    isActive: true,
    isRemoved: false,
  }));
};
