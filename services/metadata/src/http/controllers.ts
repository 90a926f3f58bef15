import { isDeepStrictEqual } from 'node:util';
import { networkKey } from '@reelstream/domain';
import {
  ControllerEntry,
  ControllerProfile,
  ControllerSet,
  derivedId,
  Timestamp,
  Uuid,
} from '@reelstream/events';
import type { SlowFactRow } from '@reelstream/store';
import Type from 'typebox';
import { Compile } from 'typebox/compile';
import { findSlowFact, listSlowFacts } from '../adapters/slow-facts.ts';
import { positionOf } from './api.ts';
import type { Api, Routes } from './api.ts';
import { Problem, ProblemDetails } from './problem.ts';
import { CreateHeaders, say, sayOnce } from './write.ts';

const CreateBody = Type.Object(
  { network: ControllerEntry.properties.network, profile: ControllerProfile },
  { additionalProperties: false },
);
const ChangeBody = Type.Object({ profile: ControllerProfile }, { additionalProperties: false });

const Controller = Type.Object({
  id: Uuid,
  network: Type.String(),
  profile: ControllerProfile,
  createdAt: Timestamp,
  changedAt: Timestamp,
});
type Controller = Type.Static<typeof Controller>;

const List = Type.Object({ items: Type.Array(Controller), position: Type.Optional(Type.String()) });
const Params = Type.Object({ controllerId: Uuid });
const tags = ['controllers'];
const problems = { '4xx': ProblemDetails, '5xx': ProblemDetails };

const entryValidator = Compile(ControllerEntry);
const setValidator = Compile(ControllerSet);

const shown = (row: SlowFactRow): Controller[] =>
  entryValidator.Check(row.value)
    ? [
        {
          id: row.value.controllerId,
          network: row.value.network,
          profile: row.value.profile,
          createdAt: row.created_at.toISOString(),
          changedAt: row.changed_at.toISOString(),
        },
      ]
    : [];

const findController = async ({ store }: Api, controllerId: string): Promise<Controller> => {
  const row = await findSlowFact(store.db, 'controllers', controllerId);
  const [controller] = row ? shown(row) : [];
  if (!controller)
    throw new Problem(404, 'CONTROLLER_NOT_FOUND', `there is no controller profile ${controllerId}`);

  return controller;
};

type Wanted = Type.Static<typeof CreateBody>;

const create = async (api: Api, wanted: Wanted, key: string | undefined): Promise<Controller> => {
  const { network } = wanted;
  const canonical = networkKey(network);
  if (canonical === undefined)
    throw new Problem(400, 'INVALID_BODY', `${network} is neither an address nor a network`, 'network');
  const controllerId = derivedId('controller', canonical);
  const time = new Date().toISOString();
  const createdAt = await sayOnce(api, 'controller.set', key, {
    subject: controllerId,
    time,
    data: { controllerId, ...wanted, setAt: time },
    isSame: (before) =>
      setValidator.Check(before) &&
      networkKey(before.network) === canonical &&
      isDeepStrictEqual(before.profile, wanted.profile),
    refuse: async () => {
      const row = await findSlowFact(api.store.db, 'controllers', controllerId);
      if (row && row.value !== null)
        throw new Problem(409, 'CONTROLLER_EXISTS', `${controllerId} is this network; change it`, 'network');
    },
  });

  return { id: controllerId, ...wanted, createdAt, changedAt: createdAt };
};

/** What the call controllers of an address or network can do. */
export const controllerRoutes: Routes = (api) => async (app) => {
  app.get('/controllers', { schema: { tags, response: { 200: List } } }, async () => {
    const position = positionOf(api);

    return { items: (await listSlowFacts(api.store.db, 'controllers')).flatMap(shown), ...position };
  });

  app.post(
    '/controllers',
    {
      schema: { tags, headers: CreateHeaders, body: CreateBody, response: { 201: Controller, ...problems } },
    },
    async (request, reply) => {
      const controller = await create(api, request.body, request.headers['idempotency-key']);

      return reply.code(201).header('location', `/api/v1/controllers/${controller.id}`).send(controller);
    },
  );

  app.get(
    '/controllers/:controllerId',
    { schema: { tags, params: Params, response: { 200: Controller, ...problems } } },
    async (request) => findController(api, request.params.controllerId),
  );

  app.put(
    '/controllers/:controllerId',
    { schema: { tags, params: Params, body: ChangeBody, response: { 200: Controller, ...problems } } },
    async (request) => {
      const { controllerId } = request.params;
      const { network } = await findController(api, controllerId);
      const time = new Date().toISOString();
      const data = { controllerId, network, profile: request.body.profile, setAt: time };
      await say(api, 'controller.set', { subject: controllerId, time, data });

      return findController(api, controllerId);
    },
  );

  app.delete(
    '/controllers/:controllerId',
    { schema: { tags, params: Params, response: { 204: Type.Null(), ...problems } } },
    async (request, reply) => {
      const { controllerId } = request.params;
      await findController(api, controllerId);
      const time = new Date().toISOString();
      const data = { controllerId, removedAt: time };
      await say(api, 'controller.removed', { subject: controllerId, time, data });

      return reply.code(204).send(null);
    },
  );
};
