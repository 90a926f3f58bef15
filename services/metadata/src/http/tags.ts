import { legalHoldTag, noAnnotations, tagKey } from '@reelstream/domain';
import type { SessionRecord, UserTag } from '@reelstream/domain';
import { PublicTag, TagAdded, TagName, TagOffset, Uuid } from '@reelstream/events';
import Type from 'typebox';
import { Compile } from 'typebox/compile';
import { findSession } from '../adapters/sessions.ts';
import type { Api, Routes } from './api.ts';
import { Problem, ProblemDetails } from './problem.ts';
import { SessionParams } from './sessions.ts';
import { CreateHeaders, say, sayOnce } from './write.ts';

/** Every event of a session carries its tags: there is an end to them. */
const mostTags = 500;

const CreateBody = Type.Object(
  {
    name: Type.String({
      ...TagName,
      description: `in any case; ${legalHoldTag} keeps the session from deletion`,
      examples: ['complaint', legalHoldTag],
    }),
    offsetMs: Type.Optional(TagOffset),
  },
  { additionalProperties: false },
);
type CreateBody = Type.Static<typeof CreateBody>;

const TagParams = Type.Object({ sessionId: Uuid, name: TagName });
const RemoveQuery = Type.Object(
  {
    offsetMs: Type.Optional(
      Type.Integer({ ...TagOffset, description: 'only the one here; absent: all of this name' }),
    ),
  },
  { additionalProperties: false },
);

const problems = { '4xx': ProblemDetails, '5xx': ProblemDetails };
const addedValidator = Compile(TagAdded);

const tagsOf = ({ annotations = noAnnotations }: SessionRecord): readonly UserTag[] => annotations.tags;

/** A session that can be tagged: any but one that was deleted. */
const findTaggable = async ({ store }: Api, sessionId: string): Promise<SessionRecord> => {
  const record = await findSession(store.db, sessionId);
  if (!record) throw new Problem(404, 'SESSION_NOT_FOUND', `there is no session ${sessionId}`);
  if (record.annotations?.deletedAt !== undefined)
    throw new Problem(409, 'SESSION_DELETED', `the session was deleted at ${record.annotations.deletedAt}`);

  return record;
};

const checkBody = ({ name, offsetMs = 0 }: CreateBody, { durationMs = Infinity }: SessionRecord): void => {
  if (/\p{Cc}/u.test(name) || name.trim() !== name)
    throw new Problem(400, 'INVALID_BODY', 'name has control characters, or blanks around it', 'name');
  if (tagKey(name) === legalHoldTag && offsetMs > 0)
    throw new Problem(400, 'INVALID_BODY', `${legalHoldTag} is for the whole session`, 'offsetMs');
  if (offsetMs > durationMs)
    throw new Problem(400, 'INVALID_BODY', `the session lasted ${durationMs} ms`, 'offsetMs');
};

const isTag =
  ({ name, offsetMs }: CreateBody) =>
  (other: Pick<UserTag, 'name' | 'offsetMs'>): boolean =>
    tagKey(other.name) === tagKey(name) && other.offsetMs === offsetMs;

const shown = ({ name, offsetMs }: CreateBody, at: string): PublicTag => ({
  name,
  type: 'user',
  at,
  ...(offsetMs === undefined ? {} : { offsetMs }),
});

const add = async (
  api: Api,
  sessionId: string,
  tag: CreateBody,
  key: string | undefined,
): Promise<PublicTag> => {
  const time = new Date().toISOString();
  const addedAt = await sayOnce(api, 'tag.added', key, {
    subject: sessionId,
    time,
    data: { sessionId, ...tag, addedAt: time },
    isSame: (before) => addedValidator.Check(before) && before.sessionId === sessionId && isTag(tag)(before),
    refuse: async () => {
      const record = await findTaggable(api, sessionId);
      checkBody(tag, record);
      if (tagsOf(record).length >= mostTags)
        throw new Problem(409, 'TOO_MANY_TAGS', `the session has ${mostTags} tags of users already`);
    },
  });
  // A deletion may have been faster: what comes behind it has no effect.
  await findTaggable(api, sessionId);

  return shown(tag, addedAt);
};

/** Takes back what this server knows of; what is set at the same time elsewhere stays. */
const takeBack = async (
  api: Api,
  sessionId: string,
  name: string,
  offsetMs: number | undefined,
): Promise<void> => {
  const found = tagsOf(await findTaggable(api, sessionId)).filter(
    (tag) => tagKey(tag.name) === tagKey(name) && (offsetMs === undefined || tag.offsetMs === offsetMs),
  );
  if (found.length === 0)
    throw new Problem(404, 'TAG_NOT_FOUND', `no user set such a tag ${JSON.stringify(name)}`);
  const time = new Date().toISOString();
  const tags = found.map((tag) => ({
    tagId: tag.tagId,
    ...(tag.offsetMs === undefined ? {} : { offsetMs: tag.offsetMs }),
  }));
  const data = { sessionId, name, tags, removedAt: time };
  await say(api, 'tag.removed', { subject: sessionId, time, data });
};

const addSchema = {
  tags: ['sessions'],
  summary: 'Tags a session, or a place in it. A tag that is there already is answered with 200.',
  params: SessionParams,
  headers: CreateHeaders,
  body: CreateBody,
  response: { 200: PublicTag, 201: PublicTag, ...problems },
};

const removeSchema = {
  tags: ['sessions'],
  summary: 'Takes back the tags of a name that users set.',
  params: TagParams,
  querystring: RemoveQuery,
  response: { 204: Type.Null(), ...problems },
};

/** What users say of a session, while it runs and afterwards. */
export const tagRoutes: Routes = (api) => async (app) => {
  app.post(
    '/sessions/:sessionId/tags',
    { schema: addSchema },
    async ({ params: { sessionId }, body, headers }, reply) => {
      const before = tagsOf(await findTaggable(api, sessionId)).find(isTag(body));
      const key = headers['idempotency-key'];
      if (before && key === undefined) return reply.code(200).send(shown(before, before.addedAt));
      const tag = await add(api, sessionId, body, key);
      const location = `/api/v1/sessions/${sessionId}/tags/${encodeURIComponent(tag.name)}`;

      return reply.code(201).header('location', location).send(tag);
    },
  );

  app.delete(
    '/sessions/:sessionId/tags/:name',
    { schema: removeSchema },
    async ({ params: { sessionId, name }, query: { offsetMs } }, reply) => {
      await takeBack(api, sessionId, name, offsetMs);

      return reply.code(204).send(null);
    },
  );
};
