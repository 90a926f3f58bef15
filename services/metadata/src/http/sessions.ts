import { PublicSession, SessionState, TagName, Uuid } from '@reelstream/events';
import Type from 'typebox';
import { findSession, listSessions } from '../adapters/sessions.ts';
import { publicSession } from '@reelstream/domain';
import { formatCursor, parseCursor } from '../core/cursor.ts';
import { positionOf } from './api.ts';
import type { Routes } from './api.ts';
import { Problem, ProblemDetails } from './problem.ts';

const Moment = Type.String({ format: 'date-time', description: 'RFC 3339' });

const Query = Type.Object(
  {
    state: Type.Optional(SessionState),
    from: Type.Optional({ ...Moment, description: 'started at or after' }),
    to: Type.Optional({ ...Moment, description: 'started before' }),
    participant: Type.Optional(
      Type.String({ minLength: 1, maxLength: 256, description: 'address, number, name, device or x-refci' }),
    ),
    xRefCi: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 256,
        description: 'correlation.xRefCi: all sessions of one call on Unified CM, however often it was held',
      }),
    ),
    tag: Type.Optional(Type.String({ ...TagName, description: 'name of a tag, in any case' })),
    limit: Type.Integer({ minimum: 1, maximum: 200, default: 50 }),
    cursor: Type.Optional(Type.String({ maxLength: 200, description: 'nextCursor of the page before' })),
  },
  { additionalProperties: false },
);

const Page = Type.Object({
  items: Type.Array(PublicSession),
  nextCursor: Type.Union([Type.String(), Type.Null()]),
  position: Type.Optional(Type.String({ description: 'how far the list speaks' })),
});

export const SessionParams = Type.Object({ sessionId: Uuid });

const tags = ['sessions'];

export const sessionRoutes: Routes = (api) => async (app) => {
  app.get(
    '/sessions',
    { schema: { tags, querystring: Query, response: { 200: Page, '4xx': ProblemDetails } } },
    async (request) => {
      const { state, from, to, participant, xRefCi, tag, limit, cursor } = request.query;
      const after = cursor === undefined ? undefined : parseCursor(cursor);
      if (cursor !== undefined && !after)
        throw new Problem(400, 'INVALID_PARAMETER', 'cursor is none that this API gave', 'cursor');
      // Read first: the list may know more than this position, never less.
      const position = positionOf(api);
      const page = await listSessions(api.store.db, {
        state,
        from,
        to,
        participant,
        xRefCi,
        tag,
        limit,
        after,
      });

      return {
        items: [...page.items],
        nextCursor: page.next ? formatCursor(page.next) : null,
        ...position,
      };
    },
  );

  app.get(
    '/sessions/:sessionId',
    { schema: { tags, params: SessionParams, response: { 200: PublicSession, '4xx': ProblemDetails } } },
    async (request) => {
      const { sessionId } = request.params;
      const record = await findSession(api.store.db, sessionId);
      if (!record) throw new Problem(404, 'SESSION_NOT_FOUND', `there is no session ${sessionId}`);

      return publicSession(record);
    },
  );
};
