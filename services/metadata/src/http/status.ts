import { formatPosition } from '@reelstream/bus';
import { Uuid } from '@reelstream/events';
import Type from 'typebox';
import { clearAlarm, listAlarms } from '../adapters/alarms.ts';
import { countWaiting } from '../adapters/counts.ts';
import type { Routes } from './api.ts';
import { Problem, ProblemDetails } from './problem.ts';

const tags = ['status'];
const AlarmParams = Type.Object({ alarmId: Uuid });

/** What an operator asks of a database server beyond its health. */
export const statusRoutes: Routes = (api) => async (app) => {
  app.get('/status', { schema: { tags } }, async () => {
    const { position, behind, state } = api.progress;
    const { held, parked, pending } = await countWaiting(api.store.db);

    return {
      server: api.server,
      state,
      ...(position ? { position: formatPosition(position), base: position.base } : {}),
      behind,
      events: { held, parked, sessionsWithGaps: api.gaps.count },
      deliveries: { pending },
      retention: await api.retention.status(),
      alarms: await listAlarms(api.store.db),
    };
  });

  app.delete(
    '/alarms/:alarmId',
    { schema: { tags, params: AlarmParams, response: { 204: Type.Null(), '4xx': ProblemDetails } } },
    async (request, reply) => {
      const { alarmId } = request.params;
      if (!(await clearAlarm(api.store.db, alarmId)))
        throw new Problem(404, 'ALARM_NOT_FOUND', `no alarm ${alarmId} is raised`);

      return reply.code(204).send(null);
    },
  );
};
