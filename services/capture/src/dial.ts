import { weightOf } from '@reelstream/domain';
import { derivedId, freshId } from '@reelstream/events';
import type { CommandReply, DialCommand } from '@reelstream/events';
import { parseNameAddr, parseSdp, readInvite, uriHost } from '@reelstream/sip';
import type { CallOutcome, RequestInfo, SipEndpoint } from '@reelstream/sip';
import { findNextHop, mayGoOn } from './adapters/next-hop.ts';
import type { NextHop } from './adapters/next-hop.ts';
import { outboundCredentials } from './adapters/outbound-credentials.ts';
import { follow, openLeg } from './answer.ts';
import { saidIn, tracksAfter } from './call.ts';
import type { Call } from './call.ts';
import { addressTowards, currentOrigin } from './capture-node.ts';
import type { CaptureNode } from './capture-node.ts';
import { failureOf } from './core/dial-outcome.ts';
import type { DialFailure } from './core/dial-outcome.ts';
import { srtpPolicyFor } from './leg-encryption.ts';
import type { Leg } from './leg.ts';
import { secureLeg } from './secure-leg.ts';
import { LiveSession } from './live-session.ts';

export type DialOrder = Omit<DialCommand, 'name'> & {
  readonly commandId: string;
  /** Takes back what rings, because this node ends. */
  readonly closing: AbortSignal;
};

/** A call on its way out. */
type Dialling = {
  readonly order: DialOrder;
  readonly hop: NextHop;
  readonly call: Call;
};

/**
 * The story of a call that we place: see whether it can be taken, bind its sockets, note in its journal that it rings, send the
 * INVITE with our offer; at the answer journal that the session has started, and only then acknowledge.
 */
export const dial = async (node: CaptureNode, sip: SipEndpoint, order: DialOrder): Promise<CommandReply> => {
  const hop = await findNextHop(node.config, order.to);
  if (!hop.ok) return { ok: false, code: hop.cause, detail: hop.detail };
  const dialling = { order, hop, call: callTo(node, order, hop) };
  const { weight } = dialling.call;
  const obstacle = node.status.obstacle(weight);
  if (obstacle) return { ok: false, code: obstacle, detail: 'this node takes no calls now' };
  await using undo = new AsyncDisposableStack();
  const sessionId = freshId();
  node.status.occupy(sessionId, weight);
  undo.defer(() => node.status.free(sessionId));
  const leg = await openLeg(node, dialling.call, sessionId);
  if (!leg) return { ok: false, code: 'no-capacity', detail: 'no sockets are to be had' };
  undo.defer(() => node.recorder.discard(sessionId));
  const session = await LiveSession.open(node, sessionId, attemptOf(dialling));
  undo.defer(() => session.discard());

  return await ring(node, sip, dialling, { session, leg, undo });
};

type Taken = {
  readonly session: LiveSession;
  readonly leg: Leg;
  readonly undo: AsyncDisposableStack;
};

const ring = async (
  node: CaptureNode,
  sip: SipEndpoint,
  dialling: Dialling,
  { session, leg, undo }: Taken,
): Promise<CommandReply> => {
  const { order, hop, call } = dialling;
  const offer = leg.offer();
  await secureLeg(node, session, leg);
  const credentials = await outboundCredentials(node.config);
  const signal = AbortSignal.any([order.closing, AbortSignal.timeout(order.ringLimitMs)]);
  const outcome = await sip.call({
    uri: order.to,
    proxy: hop.proxy,
    callId: call.info.callId,
    from: call.info.from.uri,
    fromTag: call.info.from.parameters['tag'] ?? '',
    contact: leg.contact,
    body: offer,
    signal,
    mayFollow: (uri) => mayGoOn(hop, order.to, uri),
    ...(credentials && { credentials }),
  });
  if (!outcome.answered) return notAnswered(node, dialling, outcome);
  // Whatever goes wrong from here on: whoever has answered must not wait on the line for somebody.
  let reason = 'the recorder could not begin';
  undo.defer(() => hangUp(node, outcome, reason));
  if (signal.aborted) {
    reason = 'answered too late';

    return takenBack(node, dialling, undefined);
  }
  if (!(await agree(node, session, leg, outcome.body))) {
    reason = 'nothing of our offer was taken';

    return failed(node, dialling, { cause: 'bad-answer', detail: 'the answer takes nothing of our offer' });
  }
  // Noted with the start: whoever is killed right behind it knows where its BYE goes.
  leg.dialog = outcome.dialog;
  await journalStart(node, dialling, session, leg);
  undo.move();
  outcome.acknowledge();
  follow(node, session, leg, call, outcome.dialog);
  session.keepBody('offer', offer);
  session.keepBody('answer', outcome.body);

  return { ok: true, sessionId: session.sessionId };
};

/** A call that was answered, and of which nothing is to come. */
const hangUp = async (
  { log }: CaptureNode,
  answered: Extract<CallOutcome, { answered: true }>,
  reason: string,
): Promise<void> => {
  answered.acknowledge();
  await answered.dialog.bye(reason).catch((error: unknown) => log.warn({ error }, 'BYE failed'));
};

/** What the answer leaves of our offer. False where nothing is left to be recorded. */
const agree = async (node: CaptureNode, session: LiveSession, leg: Leg, answer: string): Promise<boolean> => {
  const { media } = parseSdp(answer);
  const refused = leg.lines.filter(({ index }) => (media[index]?.port ?? 0) === 0);
  if (refused.length === leg.lines.length) return false;
  leg.answered(parseSdp(answer));
  leg.drop(refused.map(({ index }) => index));
  const { sessionId } = session;
  await node.recorder.release(
    sessionId,
    refused.map(({ trackNumber }) => trackNumber),
  );
  node.status.occupy(sessionId, weightOf(leg.lines.map(({ kind }) => kind)));
  session.negotiated(leg.negotiated);
  session.expect(leg);
  await secureLeg(node, session, leg);

  return true;
};

const journalStart = async (
  node: CaptureNode,
  { order, call }: Dialling,
  session: LiveSession,
  leg: Leg,
): Promise<void> => {
  const { clusterId, nodeId, hostId } = node.config;
  const { commandId, to, media } = order;
  const said = { ...saidIn(call, undefined), from: parseNameAddr(`<${to}>`) };
  await session.execute((stamp) => ({
    type: 'start',
    // Whoever repeats the request that caused it finds it by this id.
    stamp: { ...stamp, id: derivedId('session.started', commandId) },
    origin: currentOrigin(node),
    session: {
      sessionId: session.sessionId,
      clusterId,
      home: nodeId,
      host: hostId,
      controller: { type: 'direct', address: call.info.source.address },
      dialogs: [leg.info],
      correlation: {},
      tracks: [...tracksAfter([], leg, said, stamp.time)],
      dialled: { requestId: commandId, to, media },
    },
  }));
};

const notAnswered = (
  node: CaptureNode,
  dialling: Dialling,
  { status, reason, followed, wasTakenBack }: Extract<CallOutcome, { answered: false }>,
): CommandReply =>
  wasTakenBack
    ? takenBack(node, dialling, status)
    : failed(node, dialling, { cause: failureOf(status), status, detail: `${status} ${reason}`, followed });

/** Nobody answered in time, or this node ends. */
const takenBack = (node: CaptureNode, dialling: Dialling, status: number | undefined): CommandReply => {
  const { closing, ringLimitMs } = dialling.order;

  return failed(
    node,
    dialling,
    closing.aborted
      ? { cause: 'cancelled', detail: 'this node ends', status }
      : { cause: 'no-answer', detail: `nobody answered within ${ringLimitMs} ms`, status },
  );
};

const failed = (
  node: CaptureNode,
  dialling: Dialling,
  failure: {
    readonly cause: DialFailure;
    readonly detail: string;
    readonly status?: number | undefined;
    readonly followed?: readonly string[];
  },
): CommandReply => {
  const { cause, detail, status, followed = [] } = failure;
  const known = status === undefined ? {} : { status };
  node.events.say('attempt.failed', {
    ...attemptOf(dialling),
    at: new Date().toISOString(),
    cause,
    ...known,
    ...(followed.length === 0 ? {} : { followed: [...followed] }),
  });
  const { callId } = dialling.call.info;

  return { ok: false, code: cause, detail, callId, ...(status === undefined ? {} : { sipStatus: status }) };
};

/** What is said of the call should it fail; also by the next life of this node, if this one dies while it rings. */
const attemptOf = ({ order, hop, call }: Dialling) => ({
  attemptId: order.commandId,
  at: new Date().toISOString(),
  callId: call.info.callId,
  fromUri: call.info.from.uri,
  toUri: order.to,
  controllerAddress: hop.address,
  cause: 'interrupted' satisfies DialFailure,
  dialled: { requestId: order.commandId, to: order.to, media: order.media },
});

/** The call as if it had come in: from the next hop, without an offer. */
const callTo = (node: CaptureNode, { to, from, media }: DialOrder, hop: NextHop): Call => {
  const { address, port, transport } = hop;
  const source = { address, port, transport };
  const ours = addressTowards(node, { source, receivedOn: undefined });
  const info: RequestInfo = {
    callId: freshId(),
    method: 'INVITE',
    requestUri: to,
    from: parseNameAddr(`<${from ?? `sip:recorder@${uriHost(ours)}`}>;tag=${freshId()}`),
    to: parseNameAddr(`<${to}>`),
    contact: undefined,
    source,
    receivedOn: undefined,
    userAgent: undefined,
    header: () => undefined,
    contentType: undefined,
    body: '',
  };
  const kinds = media === 'audio' ? (['audio'] as const) : (['audio', 'video'] as const);

  return {
    info,
    invitation: readInvite(info),
    type: 'direct',
    isOurs: true,
    pair: undefined,
    audioOnly: media === 'audio',
    srtp: srtpPolicyFor(node.config, info),
    lines: kinds.map((kind, index) => ({ index, kind, label: undefined })),
    weight: weightOf(kinds),
  };
};
