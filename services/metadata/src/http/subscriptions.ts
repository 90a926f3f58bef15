import { randomBytes } from 'node:crypto';
import { derivedId, freshId, mintEvent, publicTypes, Timestamp, Uuid } from '@reelstream/events';
import { decryptSecret, encryptSecret } from '@reelstream/service';
import type { SubscriptionRow } from '@reelstream/store';
import Type from 'typebox';
import { findSubscription, listSubscriptions } from '../adapters/subscriptions.ts';
import { positionOf } from './api.ts';
import type { Api, Routes } from './api.ts';
import { Problem, ProblemDetails } from './problem.ts';
import { append, committed, CreateHeaders } from './write.ts';

const secretBytes = 32;

const CreateBody = Type.Object(
  {
    url: Type.String({ minLength: 1, maxLength: 2_048, description: 'http or https' }),
    types: Type.Optional(
      Type.Array(Type.String(), {
        maxItems: 50,
        description: `some of ${publicTypes.join(', ')}; all if absent`,
      }),
    ),
  },
  { additionalProperties: false },
);

const Created = Type.Object({
  id: Uuid,
  secret: Type.String({ description: 'signs the webhooks (Standard Webhooks); shown here only' }),
});

const Subscription = Type.Object({
  id: Uuid,
  url: Type.String(),
  types: Type.Array(Type.String(), { description: 'empty for all' }),
  createdAt: Timestamp,
});

const List = Type.Object({ items: Type.Array(Subscription), position: Type.Optional(Type.String()) });
const Params = Type.Object({ subscriptionId: Uuid });
const tags = ['subscriptions'];

const shown = ({ subscription_id: id, url, types, created_at: createdAt }: SubscriptionRow) => ({
  id,
  url,
  types,
  createdAt: createdAt.toISOString(),
});

const checkBody = ({ url, types }: Type.Static<typeof CreateBody>): readonly string[] => {
  const protocol = URL.canParse(url) ? new URL(url).protocol : '';
  if (protocol !== 'http:' && protocol !== 'https:')
    throw new Problem(400, 'INVALID_BODY', 'url is not an http or https URL', 'url');
  const known: readonly string[] = publicTypes;
  const stranger = types?.findIndex((type) => !known.includes(type)) ?? -1;
  if (stranger >= 0)
    throw new Problem(
      400,
      'INVALID_BODY',
      `types has ${JSON.stringify(types?.[stranger])}; there are ${publicTypes.join(', ')}`,
      `types.${stranger}`,
    );

  return [...new Set(types)];
};

const create = async (
  api: Api,
  request: { readonly url: string; readonly types: readonly string[]; readonly key: string | undefined },
): Promise<SubscriptionRow> => {
  const { url, types, key } = request;
  const subscriptionId = key === undefined ? freshId() : derivedId('subscription', key);
  const before = key === undefined ? undefined : await findSubscription(api.store.db, subscriptionId);
  if (before) return before;

  const time = new Date().toISOString();
  const secret = `whsec_${randomBytes(secretBytes).toString('base64')}`;
  const { server: origin, source, epoch, clusterKey } = api;
  await append(
    api,
    mintEvent({
      type: 'subscription.created',
      id: derivedId('subscription.created', subscriptionId),
      time,
      source,
      subject: subscriptionId,
      origin,
      version: 1,
      epoch,
      data: {
        subscriptionId,
        url,
        types: [...types],
        encryptedSecret: encryptSecret(clusterKey, secret),
        createdAt: time,
      },
    }),
  );

  return committed(api, () => findSubscription(api.store.db, subscriptionId));
};

const remove = async (api: Api, subscriptionId: string): Promise<void> => {
  const time = new Date().toISOString();
  const { server: origin, source, epoch } = api;
  await append(
    api,
    mintEvent({
      type: 'subscription.deleted',
      id: derivedId('subscription.deleted', subscriptionId),
      time,
      source,
      subject: subscriptionId,
      origin,
      version: 1,
      epoch,
      data: { subscriptionId, deletedAt: time },
    }),
  );
  await committed(api, async () => {
    const row = await findSubscription(api.store.db, subscriptionId);

    return row?.deleted_at ?? undefined;
  });
};

const findActive = async (api: Api, subscriptionId: string): Promise<SubscriptionRow> => {
  const row = await findSubscription(api.store.db, subscriptionId);
  if (!row || row.deleted_at)
    throw new Problem(404, 'SUBSCRIPTION_NOT_FOUND', `there is no subscription ${subscriptionId}`);

  return row;
};

export const subscriptionRoutes: Routes = (api) => async (app) => {
  app.post(
    '/subscriptions',
    {
      schema: {
        tags,
        headers: CreateHeaders,
        body: CreateBody,
        response: { 201: Created, '4xx': ProblemDetails, '5xx': ProblemDetails },
      },
    },
    async (request, reply) => {
      const types = checkBody(request.body);
      const { url } = request.body;
      const row = await create(api, { url, types, key: request.headers['idempotency-key'] });
      // Of several requests with one key the first in the stream wins; the others must have asked for the same.
      if (row.url !== url || row.types.join() !== types.join())
        throw new Problem(
          422,
          'IDEMPOTENCY_KEY_REUSED',
          'this Idempotency-Key came with another body before',
        );
      const { subscription_id: id, encrypted_secret: encrypted } = row;

      return reply
        .code(201)
        .header('location', `/api/v1/subscriptions/${id}`)
        .send({ id, secret: decryptSecret(api.clusterKey, encrypted) });
    },
  );

  app.get('/subscriptions', { schema: { tags, response: { 200: List } } }, async () => {
    const position = positionOf(api);
    const rows = await listSubscriptions(api.store.db);

    return { items: rows.map(shown), ...position };
  });

  app.get(
    '/subscriptions/:subscriptionId',
    { schema: { tags, params: Params, response: { 200: Subscription, '4xx': ProblemDetails } } },
    async (request) => shown(await findActive(api, request.params.subscriptionId)),
  );

  app.delete(
    '/subscriptions/:subscriptionId',
    { schema: { tags, params: Params, response: { 204: Type.Null(), '4xx': ProblemDetails } } },
    async (request, reply) => {
      const { subscriptionId } = request.params;
      await findActive(api, subscriptionId);
      await remove(api, subscriptionId);

      return reply.code(204).send(null);
    },
  );
};
