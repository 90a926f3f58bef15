import { Name } from '@reelstream/events';
import type { Role } from '@reelstream/events';
import Type from 'typebox';
import { findSlowFact } from '../adapters/slow-facts.ts';
import type { Api, Routes } from './api.ts';
import { Problem, ProblemDetails } from './problem.ts';
import { say } from './write.ts';

const Params = Type.Object({ nodeId: Name });
const Answer = Type.Object({ nodeId: Name, drained: Type.Boolean() });
const answers = { 200: Answer, '4xx': ProblemDetails, '5xx': ProblemDetails };
const tags = ['nodes'];

const takingCalls: readonly string[] = ['pilot', 'capture', 'playback'] satisfies readonly Role[];

/** Throws Problem for a node that nobody has heard of, or that has no calls to refuse. */
const checkNode = async ({ watch, store }: Api, nodeId: string): Promise<void> => {
  const heard = watch.nodes().find(({ heartbeat }) => heartbeat.nodeId === nodeId)?.heartbeat;
  const role =
    heard?.role ??
    (await store.db.selectFrom('node').select('role').where('node_id', '=', nodeId).executeTakeFirst())?.role;
  if (role === undefined) throw new Problem(404, 'NODE_NOT_FOUND', `there is no node ${nodeId}`);
  if (!takingCalls.includes(role))
    throw new Problem(
      422,
      'NODE_TAKES_NO_CALLS',
      `${nodeId} is a ${role}; drained are ${takingCalls.join(', ')}`,
    );
};

const isDrained = async ({ store }: Api, nodeId: string): Promise<boolean> => {
  const row = await findSlowFact(store.db, 'drains', nodeId);

  return row !== undefined && row.value !== null;
};

/** Takes a node out of service and back: no new calls, what runs finishes. It stays so over restarts. */
export const drainRoutes: Routes = (api) => async (app) => {
  app.post(
    '/nodes/:nodeId/drain',
    { schema: { tags, params: Params, response: answers } },
    async ({ params: { nodeId } }) => {
      await checkNode(api, nodeId);
      if (await isDrained(api, nodeId)) return { nodeId, drained: true };
      const time = new Date().toISOString();
      await say(api, 'node.draining', { subject: nodeId, time, data: { nodeId, drainedAt: time } });

      return { nodeId, drained: true };
    },
  );

  app.post(
    '/nodes/:nodeId/undrain',
    { schema: { tags, params: Params, response: answers } },
    async ({ params: { nodeId } }) => {
      await checkNode(api, nodeId);
      if (!(await isDrained(api, nodeId))) return { nodeId, drained: false };
      const time = new Date().toISOString();
      await say(api, 'node.undrained', { subject: nodeId, time, data: { nodeId, undrainedAt: time } });

      return { nodeId, drained: false };
    },
  );
};
