import {
  CallPlacement,
  ExplainReply,
  Name,
  querySubject,
  SessionState,
  Timestamp,
  Uuid,
} from '@reelstream/events';
import type { PublicSession, Query } from '@reelstream/events';
import Type from 'typebox';
import { Compile } from 'typebox/compile';
import { attemptsOfCall, sessionsOfCall } from '../adapters/calls.ts';
import type { AttemptEvent } from '../adapters/calls.ts';
import type { Api, Routes } from './api.ts';
import { Problem, ProblemDetails } from './problem.ts';

const Attempt = Type.Object({
  type: Type.String(),
  by: Type.String({ description: 'node that says so' }),
  at: Timestamp,
  cause: Type.String(),
  status: Type.Optional(Type.Integer()),
  homes: Type.Optional(Type.Array(Type.String())),
  dialled: Type.Optional(Type.String({ description: 'whom a call of ours was for' })),
  followed: Type.Optional(Type.Array(Type.String(), { description: 'where it was sent on to' })),
});

const Recorded = Type.Object({
  sessionId: Uuid,
  home: Name,
  state: SessionState,
  startedAt: Timestamp,
  endedAt: Type.Optional(Timestamp),
  endReason: Type.Optional(Type.String()),
  dialog: Type.Object({
    fromUri: Type.String(),
    toUri: Type.String(),
    transport: Type.String(),
    remoteAddress: Type.String(),
  }),
  otherCallIds: Type.Array(Type.String(), { description: 'of further dialogs of the session' }),
  tracks: Type.Integer(),
});

const Explanation = Type.Object({
  callId: Type.String(),
  placements: Type.Array(CallPlacement, { description: 'what pilots did, as far as they remember' }),
  pilots: Type.Object(
    { asked: Type.Array(Name), silent: Type.Array(Name) },
    { description: 'pilots remember their latest calls, until they restart' },
  ),
  attempts: Type.Array(Attempt),
  sessions: Type.Array(Recorded),
});
type Explanation = Type.Static<typeof Explanation>;

const Params = Type.Object({ callId: Type.String({ minLength: 1, maxLength: 600 }) });
const replyLimitMs = 1_000;
/** As long as events keep them. */
const mostCharacters = 512;
const validReply = Compile(ExplainReply);

/** Asks every pilot that is alive; one that doesn't answer in time is named. */
const askPilots = async (
  { watch, bus }: Api,
  callId: string,
): Promise<Pick<Explanation, 'placements' | 'pilots'>> => {
  const asked = watch.alive('pilot').map(({ nodeId }) => nodeId);
  const query: Query = { name: 'explain', callId };
  const replies = await Promise.all(
    asked.map((nodeId) => bus.request(querySubject(nodeId), query, replyLimitMs).catch(() => undefined)),
  );
  const placements = replies.flatMap((reply) => (validReply.Check(reply) ? reply.placements : []));

  return {
    placements: placements.toSorted((one, other) => one.at.localeCompare(other.at)),
    pilots: { asked, silent: asked.filter((_, index) => !validReply.Check(replies[index])) },
  };
};

const attemptShown = ({ type, source, data }: AttemptEvent): Explanation['attempts'][number] => ({
  type,
  by: source.split('/').at(-1) ?? '',
  at: data.at,
  cause: data.cause,
  ...('status' in data && data.status !== undefined ? { status: data.status } : {}),
  ...('dialled' in data ? { dialled: data.dialled.to } : {}),
  ...('followed' in data && data.followed ? { followed: data.followed } : {}),
  ...('homes' in data ? { homes: data.homes } : {}),
});

const recordedShown = (session: PublicSession, callId: string): Explanation['sessions'] => {
  const { sessionId, home, state, startedAt, endedAt, endReason, dialogs, tracks } = session;
  const dialog = dialogs.find((each) => each.callId === callId);
  if (!dialog) return [];
  const { fromUri, toUri, transport, remoteAddress } = dialog;

  return [
    {
      sessionId,
      home,
      state,
      startedAt,
      ...(endedAt === undefined ? {} : { endedAt }),
      ...(endReason === undefined ? {} : { endReason }),
      dialog: { fromUri, toUri, transport, remoteAddress },
      otherCallIds: dialogs.flatMap((each) => (each.callId === callId ? [] : [each.callId])),
      tracks: tracks.length,
    },
  ];
};

/** What became of a call and why: the pilots' memory, the attempts on the stream, and the sessions. */
export const explanationRoutes: Routes = (api) => async (app) => {
  app.get(
    '/calls/:callId/explanation',
    {
      schema: {
        tags: ['calls'],
        params: Params,
        response: { 200: Explanation, '4xx': ProblemDetails, '5xx': ProblemDetails },
      },
    },
    async (request): Promise<Explanation> => {
      const { callId } = request.params;
      const { db } = api.store;
      const [asked, attempts, sessions] = await Promise.all([
        askPilots(api, callId),
        attemptsOfCall(db, callId.slice(0, mostCharacters)),
        sessionsOfCall(db, callId),
      ]);
      if (asked.placements.length + attempts.length + sessions.length === 0)
        throw new Problem(404, 'CALL_NOT_FOUND', `nobody remembers a call ${callId}`);

      return {
        callId,
        ...asked,
        attempts: attempts.map(attemptShown),
        sessions: sessions.flatMap((session) => recordedShown(session, callId)),
      };
    },
  );
};
