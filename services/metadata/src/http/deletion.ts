import { legalHoldTag, obstacleToDeletion } from '@reelstream/domain';
import type { SessionRecord } from '@reelstream/domain';
import Type from 'typebox';
import { findSession } from '../adapters/sessions.ts';
import type { Api, Routes } from './api.ts';
import { Problem, ProblemDetails } from './problem.ts';
import { SessionParams } from './sessions.ts';
import { say } from './write.ts';

const isDeleted = ({ annotations }: SessionRecord): boolean => annotations?.deletedAt !== undefined;

const find = async ({ store }: Api, sessionId: string): Promise<SessionRecord> => {
  const record = await findSession(store.db, sessionId);
  if (!record) throw new Problem(404, 'SESSION_NOT_FOUND', `there is no session ${sessionId}`);

  return record;
};

const checkDeletable = (record: SessionRecord): void => {
  switch (obstacleToDeletion(record)) {
    case 'running':
      throw new Problem(
        409,
        'SESSION_RUNNING',
        record.state === 'INTERRUPTED'
          ? `the session's home, ${record.home}, is lost and has yet to end it`
          : 'the session runs: stop it first',
      );
    case 'legal-hold':
      throw new Problem(409, 'LEGAL_HOLD', `the session has the tag ${legalHoldTag}: take that back first`);
    case undefined:
  }
};

/** Deletes a session: what is known of it stays, its media goes as soon as its home can be reached. */
export const deletionRoutes: Routes = (api) => async (app) => {
  app.delete(
    '/sessions/:sessionId',
    {
      schema: {
        tags: ['sessions'],
        summary: 'Deletes a session: its media is removed, what is known of it stays. Twice is once.',
        params: SessionParams,
        response: { 204: Type.Null(), '4xx': ProblemDetails, '5xx': ProblemDetails },
      },
    },
    async ({ params: { sessionId } }, reply) => {
      const record = await find(api, sessionId);
      if (!isDeleted(record)) {
        checkDeletable(record);
        const time = new Date().toISOString();
        await say(api, 'session.deleted', { subject: sessionId, time, data: { sessionId, deletedAt: time } });
        const after = await find(api, sessionId);
        // A legal hold may have been faster.
        if (!isDeleted(after)) checkDeletable(after);
        api.remover.look();
      }

      return reply.code(204).send(null);
    },
  );
};
