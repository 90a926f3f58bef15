import { formatPosition } from '@reelstream/bus';
import { Uuid } from '@reelstream/events';
import Type from 'typebox';
import { clearAlarm, listAlarms } from '../adapters/alarms.ts';
import type { Routes } from './api.ts';
import { Problem, ProblemDetails } from './problem.ts';

const tags = ['status'];

/** What an operator asks of a database server beyond its health. */
export const statusRoutes: Routes = (api) => async (app) => {
  app.get('/status', { schema: { tags } }, async () => {
    const { db } = api.store;
    const { position, behind, state } = api.progress;
    const count = async (rows: Promise<{ n: number | string | bigint }>): Promise<number> =>
      Number((await rows).n);
    const [held, parked, pending, alarms] = await Promise.all([
      count(
        db
          .selectFrom('event')
          .select(({ fn }) => fn.countAll().as('n'))
          .where('applied', '=', false)
          .executeTakeFirstOrThrow(),
      ),
      count(
        db
          .selectFrom('parked')
          .select(({ fn }) => fn.countAll().as('n'))
          .executeTakeFirstOrThrow(),
      ),
      count(
        db
          .selectFrom('delivery')
          .select(({ fn }) => fn.countAll().as('n'))
          .where('state', '=', 'pending')
          .executeTakeFirstOrThrow(),
      ),
      listAlarms(db),
    ]);

    return {
      server: api.server,
      state,
      ...(position ? { position: formatPosition(position), base: position.base } : {}),
      behind,
      events: { held, parked, sessionsWithGaps: api.gaps.count },
      deliveries: { pending },
      alarms,
    };
  });

  app.delete(
    '/alarms/:alarmId',
    {
      schema: {
        tags,
        params: Type.Object({ alarmId: Uuid }),
        response: { 204: Type.Null(), '4xx': ProblemDetails },
      },
    },
    async (request, reply) => {
      const { alarmId } = request.params;
      if (!(await clearAlarm(api.store.db, alarmId)))
        throw new Problem(404, 'ALARM_NOT_FOUND', `no alarm ${alarmId} is raised`);

      return reply.code(204).send(null);
    },
  );
};
