import { formatPosition } from '@reelstream/bus';
import Type from 'typebox';
import { listAlarms } from '../adapters/alarms.ts';
import { findMissing, healthOfServices } from '../core/health.ts';
import type { Api, Routes } from './api.ts';

const ServiceHealth = Type.Object({ ready: Type.Integer(), nodes: Type.Integer() });

const Health = Type.Object({
  status: Type.Union([
    Type.Literal('ok'),
    Type.Literal('starting', { description: 'not everything has been there yet' }),
    Type.Literal('degraded', { description: 'something that was there is missing' }),
  ]),
  missing: Type.Optional(Type.Array(Type.String())),
  services: Type.Object({
    pilot: ServiceHealth,
    capture: ServiceHealth,
    metadata: ServiceHealth,
    publisher: ServiceHealth,
    playback: ServiceHealth,
  }),
  database: Type.Object({
    server: Type.String(),
    state: Type.Union([
      Type.Literal('STARTING'),
      Type.Literal('READY'),
      Type.Literal('CATCHING_UP'),
      Type.Literal('AWAY'),
    ]),
    position: Type.Optional(Type.String()),
    behind: Type.Optional(
      Type.Integer({
        description: 'events in the stream that are not committed yet; absent until it was asked',
      }),
    ),
    estimatedSeconds: Type.Optional(Type.Integer({ description: 'until it has caught up' })),
  }),
  alarms: Type.Array(
    Type.Object({
      alarmId: Type.String(),
      kind: Type.String(),
      raisedAt: Type.String(),
      detail: Type.Unknown(),
    }),
  ),
});

const databaseOf = ({ progress, server }: Api) => {
  const { position, behind, state, estimatedSeconds } = progress;

  return {
    server,
    state,
    ...(position ? { position: formatPosition(position) } : {}),
    ...(behind === undefined ? {} : { behind }),
    ...(estimatedSeconds === undefined ? {} : { estimatedSeconds }),
  };
};

/** Whether a call made now would be recorded, told, and served. Open: it holds no secret. */
export const healthRoutes: Routes = (api) => async (app) => {
  let wasOk = false;

  app.get(
    '/health',
    { schema: { tags: ['health'], security: [], response: { 200: Health, 503: Health } } },
    async (_request, reply) => {
      const services = healthOfServices(api.watch.nodes());
      const missing = findMissing({
        services,
        busConnected: api.bus.connected,
        databaseState: api.progress.state,
      });
      const ok = missing.length === 0;
      wasOk ||= ok;
      const reached = api.progress.state === 'READY' || api.progress.state === 'CATCHING_UP';
      const alarms = reached ? await listAlarms(api.store.db).catch(() => []) : [];

      return reply
        .code(ok ? 200 : 503)
        .header('cache-control', 'no-store')
        .send({
          status: ok ? 'ok' : wasOk ? 'degraded' : 'starting',
          ...(ok ? {} : { missing }),
          services,
          database: databaseOf(api),
          alarms: [...alarms],
        });
    },
  );
};
