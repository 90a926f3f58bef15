import { addressFor, sipPortOf, weightOf } from '@reelstream/domain';
import type { SessionRecord } from '@reelstream/domain';
import type { Heartbeat } from '@reelstream/events';
import { formatUri, parseUri } from '@reelstream/sip';
import type { InviteReceived } from '@reelstream/sip';
import { answer, describeMedia, follow, openLeg, refuse } from './answer.ts';
import { saidIn, tracksAfter } from './call.ts';
import type { Call } from './call.ts';
import type { CaptureNode } from './capture-node.ts';
import type { Description } from './core/decide.ts';
import { correlationOf } from './core/tracks.ts';
import type { Leg } from './leg.ts';
import type { LiveSession } from './live-session.ts';
import { admit, openSession } from './open-session.ts';
import type { LegOfPair } from './pairs.ts';
import { secureLeg } from './secure-leg.ts';

/**
 * The story of a leg of a built-in bridge: it joins the session that waits for it; or is sent where its partner is; or
 * opens a session for both. The legs of one call take their turns.
 */
export const takeLeg = async (
  node: CaptureNode,
  invite: InviteReceived,
  call: Call,
  pair: LegOfPair,
): Promise<void> => {
  const session = node.pairs.waitingFor(pair);
  if (session) return joinSession(node, invite, { call, pair, session });
  const obstacle = node.pairs.isRefused(pair.key, performance.now()) ? 'no-capacity' : admit(node, call);
  const [partner, continues] = await Promise.all([
    homeOfPartner(node, pair, obstacle === undefined),
    sessionBefore(node, pair),
  ]);
  if (partner) return sendTo(node, invite, partner);
  if (obstacle) {
    node.pairs.refuse(pair.key, performance.now());

    return refuse(node, invite, obstacle);
  }
  await openForBoth(node, invite, { ...call, pair: { ...pair, continues } }, pair);
};

/** The session that this call had before: it was held, and is resumed now; or a leg comes a second time. */
const sessionBefore = async (
  { pairs, pairSessions }: CaptureNode,
  { key }: LegOfPair,
): Promise<string | undefined> => pairs.lastOf(key, performance.now()) ?? pairSessions.find(key);

/** The other node that has this call's other leg. With `claim`, it is us from now on if it is nobody. */
const homeOfPartner = async (
  { pairHomes, watch }: CaptureNode,
  { key }: LegOfPair,
  claim: boolean,
): Promise<Heartbeat | undefined> => {
  const home = await (claim ? pairHomes.claim(key) : pairHomes.find(key));
  if (home === undefined) return undefined;
  const found = watch.nodes().find(({ heartbeat }) => heartbeat.nodeId === home);
  if (found?.alive && found.heartbeat.sip) return found.heartbeat;
  if (claim) pairHomes.take(key);

  return undefined;
};

/** RFC 3261 §21.3.3: the same user, at the home that has the other leg, over the same transport. */
const sendTo = async (node: CaptureNode, invite: InviteReceived, home: Heartbeat): Promise<void> => {
  const { info } = invite;
  const uri = formatUri({
    user: parseUri(info.requestUri).user,
    host: addressFor(home.advertise, info.source.address, home.address),
    port: sipPortOf(home.sip, info.source.transport),
    transport: info.source.transport,
  });
  node.meters.count('pair.redirected', home.nodeId);
  node.log.info({ callId: info.callId, home: home.nodeId }, 'pair.redirected');
  await invite.redirect([{ uri, q: 1 }]);
};

const openForBoth = async (
  node: CaptureNode,
  invite: InviteReceived,
  call: Call,
  pair: LegOfPair,
): Promise<void> => {
  let session: LiveSession | undefined;
  try {
    session = await openSession(node, invite, call);
  } finally {
    if (!session) node.pairHomes.release(pair.key);
  }
  if (session) stand(node, call, pair, session);
};

/** From here on the session waits for the other leg, until it is over. */
const stand = (
  node: CaptureNode,
  { weight }: Pick<Call, 'weight'>,
  pair: LegOfPair,
  session: LiveSession,
): void => {
  const { pairs, pairHomes, config } = node;
  pairs.opened(pair, session);
  note(node, pair, session);
  const heldLongEnough = setTimeout(() => {
    if (pairs.isWhole(session)) return;
    node.status.occupy(session.sessionId, weight / 2);
    flagUnpaired(node, session);
  }, config.pairWaitMs);
  heldLongEnough.unref();
  const letGo = (): void => {
    clearTimeout(heldLongEnough);
    if (!pairs.isWhole(session)) flagUnpaired(node, session);
    if (!pairs.closed(pair, session)) return;
    pairHomes.release(pair.key);
    note(node, pair, session);
  };
  if (session.isOver) letGo();
  else session.onOver(letGo);
};

/** A session of an earlier life that goes on: legs that come find it, or find that their side has come. */
export const standAgain = (node: CaptureNode, session: LiveSession): void => {
  const { sessionId, record, legs } = session;
  const key = record?.correlation.pairingKey;
  const sides = record?.tracks.map(({ trackNumber }) => trackNumber).filter((side) => side < 2) ?? [];
  const [first, second] = sides;
  if (key === undefined || first === undefined) return;
  const weight = weightOf([...legs].flatMap(({ lines }) => lines.map(({ kind }) => kind)));
  if (second === undefined) node.status.occupy(sessionId, 2 * weight);
  stand(node, { weight: 2 * weight }, { key, trackNumber: first }, session);
  if (second !== undefined) node.pairs.joined({ key, trackNumber: second });
  node.pairHomes.take(key);
};

/** Its other leg didn't come in time, or not at all. Should it come after all, the flag goes. */
const flagUnpaired = ({ log }: CaptureNode, session: LiveSession): void => {
  session
    .describe('dialog', (record) => ({ flags: [...flagsWithout(record), 'unpaired-leg'] }))
    .catch((error: unknown) => log.error({ error, sessionId: session.sessionId }, 'no flag could be set'));
};

const flagsWithout = ({ flags = [] }: SessionRecord): string[] =>
  flags.filter((flag) => flag !== 'unpaired-leg');

/** For the session after it, here or at another home. */
const note = ({ pairs, pairSessions }: CaptureNode, { key }: LegOfPair, { sessionId }: LiveSession): void => {
  pairs.remember(key, sessionId, performance.now());
  pairSessions.tell(key, sessionId);
};

type Joining = { readonly call: Call; readonly pair: LegOfPair; readonly session: LiveSession };

/** The second dialog of a session. Whatever ends it before the 200 has left leaves the session as it was. */
const joinSession = async (
  node: CaptureNode,
  invite: InviteReceived,
  { call, pair, session }: Joining,
): Promise<void> => {
  const { sessionId } = session;
  using _ = session.hold();
  await using undo = new AsyncDisposableStack();
  const leg = node.status.grow(sessionId, call.weight) ? await openLeg(node, call, sessionId) : undefined;
  if (!leg) return splitOff(node, invite, pair);
  const trackNumbers = leg.lines.map(({ trackNumber }) => trackNumber);
  undo.defer(async () => void (await node.recorder.release(sessionId, trackNumbers)));
  const body = describeMedia(call, leg);
  session.negotiated(leg.negotiated);
  const expected = undo.use(session.expect(leg));
  await secureLeg(node, session, leg);
  await session.describe('dialog', (record, now) => withLeg(record, leg, call, now));
  undo.defer(async () => {
    expected[Symbol.dispose]();
    await session.describe('dialog', (record) => withoutLeg(record, leg));
  });
  const dialog = await answer(node, invite, leg, body);
  undo.move();
  node.pairs.joined(pair);
  follow(node, session, leg, call, dialog);
};

/** There is no place for the other leg here: another home may take it, in a session of its own. */
const splitOff = async (node: CaptureNode, invite: InviteReceived, pair: LegOfPair): Promise<void> => {
  node.meters.count('pair.split', 'no-capacity');
  node.log.warn({ callId: invite.info.callId, pairingKey: pair.key }, 'pair.split');
  node.pairHomes.release(pair.key);
  await refuse(node, invite, 'no-capacity');
};

const withLeg = (record: SessionRecord, leg: Leg, call: Call, now: string): Partial<Description> => ({
  dialogs: [...record.dialogs, leg.info],
  correlation: { ...correlationOf(call.invitation), ...record.correlation },
  ...(record.flags && { flags: flagsWithout(record) }),
  tracks: tracksAfter(record.tracks, leg, saidIn(call, leg.metadata, leg.recorded), now).toSorted(
    (one, other) => one.trackNumber - other.trackNumber,
  ),
});

const withoutLeg = (record: SessionRecord, leg: Leg): Partial<Description> => ({
  dialogs: record.dialogs.filter(({ callId }) => callId !== leg.info.callId),
  tracks: record.tracks.filter(({ trackNumber }) =>
    leg.lines.every((line) => line.trackNumber !== trackNumber),
  ),
});
