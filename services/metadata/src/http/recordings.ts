import { isDeepStrictEqual } from 'node:util';
import { placeCall, publicSession, weightOf } from '@reelstream/domain';
import { derivedId, Dialled, DialMedia, freshId, PublicSession } from '@reelstream/events';
import Type from 'typebox';
import { Compile } from 'typebox/compile';
import { findEvent } from '../adapters/event-table.ts';
import { findSession } from '../adapters/sessions.ts';
import type { Api, Routes } from './api.ts';
import { askToDial, problemOf } from './dialling.ts';
import type { DialRequest } from './dialling.ts';
import { Problem, ProblemDetails } from './problem.ts';
import { committed, CreateHeaders } from './write.ts';

/** RFC 3261 §25: what may stand in a URI; nothing that could begin another header. */
const SipUri = Type.String({
  pattern: "^sips?:[A-Za-z0-9\\-_.!~*'()&=+$,;?/%:@\\[\\]]+$",
  maxLength: 256,
});

const Body = Type.Object(
  {
    to: { ...SipUri, description: 'SIP URI to be called' },
    media: Type.Optional({ ...DialMedia, description: 'default audio' }),
    from: Type.Optional({
      ...SipUri,
      description: 'SIP URI that the called party is shown; default our own',
    }),
    ringLimitMs: Type.Optional(
      Type.Integer({ minimum: 1_000, maximum: 120_000, description: 'default 30 s; then it is taken back' }),
    ),
  },
  { additionalProperties: false },
);

const validStart = Compile(Type.Object({ dialled: Dialled }));
const validFailure = Compile(
  Type.Object({
    dialled: Dialled,
    cause: Type.String(),
    status: Type.Optional(Type.Integer()),
    callId: Type.String(),
  }),
);

const failureKeptMs = 10_000;

/** A repeat with the same key must ask for the same. */
const checkSame = (dialled: Dialled, { commandId, to, media }: DialRequest): void => {
  if (!isDeepStrictEqual(dialled, { requestId: commandId, to, media }))
    throw new Problem(422, 'IDEMPOTENCY_KEY_REUSED', 'this Idempotency-Key came with another body before');
};

/** What came of the same request before. Throws the Problem that it ended with. */
const outcomeBefore = async ({ store }: Api, request: DialRequest): Promise<PublicSession | undefined> => {
  const { commandId } = request;
  const started = await findEvent(store.db, derivedId('session.started', commandId));
  if (validStart.Check(started?.data)) {
    checkSame(started.data.dialled, request);
    const record = await findSession(store.db, started.subject);

    return record && publicSession(record);
  }
  const failure = await findEvent(store.db, derivedId('attempt.failed', commandId));
  if (!validFailure.Check(failure?.data)) return undefined;
  const { dialled, cause, status, callId } = failure.data;
  checkSame(dialled, request);
  throw problemOf({ code: cause, sipStatus: status, callId, detail: `the call has failed before: ${cause}` });
};

/** Homes in the order in which they are asked: as calls that come in are placed. */
const homesFor = ({ watch }: Api, { commandId, media }: DialRequest): readonly string[] => {
  const nodes = watch.alive('capture');
  const weight = weightOf(media === 'audio' ? ['audio'] : ['audio', 'video']);
  const { homes, refusal } = placeCall({ nodes, key: commandId, weight });
  if (refusal !== undefined)
    throw problemOf({ code: refusal, detail: `no home can take a call: ${refusal}` });

  return homes;
};

const dialled = async (api: Api, request: DialRequest): Promise<PublicSession> => {
  const sessionId = await askToDial(api, homesFor(api, request), request);
  const record = await committed(api, () => findSession(api.store.db, sessionId));

  return publicSession(record);
};

/** Calls that we place, to be recorded. */
export const recordingRoutes: Routes = (api) => async (app) => {
  const ringing = new Map<string, { readonly request: DialRequest; readonly done: Promise<PublicSession> }>();

  const dialOnce = (request: DialRequest): Promise<PublicSession> => {
    const { commandId, to, media } = request;
    const other = ringing.get(commandId);
    if (other) {
      checkSame(
        { requestId: commandId, to: other.request.to, media: other.request.media },
        { ...request, to, media },
      );

      return other.done;
    }
    // Looked up in here: who asks in the same moment must not be told of nothing, and dial when we are done.
    const done = outcomeBefore(api, request).then((before) => before ?? dialled(api, request));
    ringing.set(commandId, { request, done });
    const forget = (): boolean => ringing.delete(commandId);
    done.then(forget, (error: unknown) => {
      // Until this database has what the home said of it, a repeat is answered from here.
      if (error instanceof Problem && error.call.sipStatus !== undefined)
        setTimeout(forget, failureKeptMs).unref();
      else forget();
    });

    return done;
  };

  app.post(
    '/recordings',
    {
      schema: {
        tags: ['recordings'],
        description:
          'Calls a SIP URI over the outbound proxy and records it; answers once the call is answered. POST /sessions/{id}/stop hangs up.',
        headers: CreateHeaders,
        body: Body,
        response: { 201: PublicSession, '4xx': ProblemDetails, '5xx': ProblemDetails },
      },
    },
    async (request, reply) => {
      const { to, media = 'audio', from, ringLimitMs = 30_000 } = request.body;
      const key = request.headers['idempotency-key'];
      const commandId = key === undefined ? freshId() : derivedId('dial', 'idempotency-key', key);
      const wanted = { commandId, to, media, ringLimitMs, ...(from === undefined ? {} : { from }) };
      const session = await dialOnce(wanted);

      return reply.code(201).header('location', `/api/v1/sessions/${session.sessionId}`).send(session);
    },
  );
};
