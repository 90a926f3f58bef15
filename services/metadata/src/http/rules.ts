import { isDeepStrictEqual } from 'node:util';
import { defaultRule, ruleIdOf } from '@reelstream/domain';
import { Rule, RuleAction, RuleCreated, RuleMatch, Timestamp, Uuid } from '@reelstream/events';
import type { SlowFactRow } from '@reelstream/store';
import Type from 'typebox';
import { Compile } from 'typebox/compile';
import { mediaFileExists } from '../adapters/media-files.ts';
import { findSlowFact, listSlowFacts } from '../adapters/slow-facts.ts';
import { positionOf } from './api.ts';
import type { Api, Routes } from './api.ts';
import { Problem, ProblemDetails } from './problem.ts';
import { CreateHeaders, say, sayOnce } from './write.ts';

const ActionBody = Type.Object(
  {
    kind: Type.Union([
      Type.Literal('record'),
      Type.Literal('play-once'),
      Type.Literal('play-continuously'),
      Type.Literal('reject'),
    ]),
    media: Type.Optional(
      Type.Union([Type.Literal('audio'), Type.Literal('audio-video')], {
        description: 'of record; default audio-video',
      }),
    ),
    mediaFileId: Type.Optional(Type.String({ ...Uuid, description: 'of play-once and play-continuously' })),
    status: Type.Optional(
      Type.Integer({ minimum: 400, maximum: 699, description: 'of reject; default 603' }),
    ),
  },
  { additionalProperties: false },
);
type ActionBody = Type.Static<typeof ActionBody>;

const MatchBody = Type.Object(
  {
    kind: Type.Union([Type.Literal('exact'), Type.Literal('prefix')]),
    user: Type.String({ minLength: 1, maxLength: 128, description: 'user part of the dialled URI' }),
  },
  { additionalProperties: false },
);

const CreateBody = Type.Object({ match: MatchBody, action: ActionBody }, { additionalProperties: false });
const ChangeBody = Type.Object({ action: ActionBody }, { additionalProperties: false });

const ShownRule = Type.Object({
  id: Uuid,
  match: RuleMatch,
  action: RuleAction,
  createdAt: Type.Optional(Type.String({ ...Timestamp, description: 'absent: the default as it comes' })),
  changedAt: Type.Optional(Timestamp),
});
type ShownRule = Type.Static<typeof ShownRule>;

const List = Type.Object({ items: Type.Array(ShownRule), position: Type.Optional(Type.String()) });
const Params = Type.Object({ ruleId: Uuid });
const tags = ['rules'];
const problems = { '4xx': ProblemDetails, '5xx': ProblemDetails };

const { ruleId: defaultRuleId, ...defaultDoes } = defaultRule;
const unwrittenDefault: ShownRule = { id: defaultRuleId, ...defaultDoes };

const ruleValidator = Compile(Rule);
const createdValidator = Compile(RuleCreated);

const shown = (row: SlowFactRow): ShownRule[] =>
  ruleValidator.Check(row.value)
    ? [
        {
          id: row.value.ruleId,
          match: row.value.match,
          action: row.value.action,
          createdAt: row.created_at.toISOString(),
          changedAt: row.changed_at.toISOString(),
        },
      ]
    : [];

const findRule = async ({ store }: Api, ruleId: string): Promise<ShownRule> => {
  const row = await findSlowFact(store.db, 'rules', ruleId);
  const [rule] = row ? shown(row) : [];
  if (rule) return rule;
  if (ruleId === defaultRuleId) return unwrittenDefault;
  throw new Problem(404, 'RULE_NOT_FOUND', `there is no rule ${ruleId}`);
};

const strangers = (body: ActionBody, ...known: readonly string[]): void => {
  const stranger = Object.keys(body).find((name) => name !== 'kind' && !known.includes(name));
  if (stranger !== undefined)
    throw new Problem(400, 'INVALID_BODY', `${stranger} does not go with ${body.kind}`, `action.${stranger}`);
};

/** The action that a body asks for. Throws Problem for what doesn't fit together, and for media that isn't there. */
const readAction = async ({ store }: Api, body: ActionBody): Promise<RuleAction> => {
  const { kind, media = 'audio-video', mediaFileId, status = 603 } = body;
  if (kind === 'record') {
    strangers(body, 'media');

    return { kind, media };
  }
  if (kind === 'reject') {
    strangers(body, 'status');

    return { kind, status };
  }
  strangers(body, 'mediaFileId');
  if (mediaFileId === undefined)
    throw new Problem(400, 'INVALID_BODY', `${kind} needs a mediaFileId`, 'action.mediaFileId');
  if (!(await mediaFileExists(store.db, mediaFileId)))
    throw new Problem(
      422,
      'MEDIA_FILE_MISSING',
      `there is no media file ${mediaFileId} to play`,
      'action.mediaFileId',
    );

  return { kind, mediaFileId };
};

const create = async (api: Api, rule: Omit<Rule, 'ruleId'>, key: string | undefined): Promise<ShownRule> => {
  const ruleId = ruleIdOf(rule.match);
  const time = new Date().toISOString();
  const createdAt = await sayOnce(api, 'rule.created', key, {
    subject: ruleId,
    time,
    data: { ruleId, ...rule, createdAt: time },
    isSame: (before) =>
      createdValidator.Check(before) &&
      isDeepStrictEqual({ match: before.match, action: before.action }, rule),
    refuse: async () => {
      const row = await findSlowFact(api.store.db, 'rules', ruleId);
      if (row && row.value !== null)
        throw new Problem(
          409,
          'RULE_EXISTS',
          `rule ${ruleId} is for these calls already; change it`,
          'match',
        );
    },
  });

  return { id: ruleId, ...rule, createdAt, changedAt: createdAt };
};

/** Rules for direct calls, by the user that was dialled. */
export const ruleRoutes: Routes = (api) => async (app) => {
  app.get('/rules', { schema: { tags, response: { 200: List } } }, async () => {
    const position = positionOf(api);
    const rules = (await listSlowFacts(api.store.db, 'rules')).flatMap(shown);
    const written = rules.some(({ id }) => id === defaultRuleId);

    return { items: written ? rules : [...rules, unwrittenDefault], ...position };
  });

  app.post(
    '/rules',
    { schema: { tags, headers: CreateHeaders, body: CreateBody, response: { 201: ShownRule, ...problems } } },
    async (request, reply) => {
      const action = await readAction(api, request.body.action);
      const { match } = request.body;
      const rule = await create(api, { match, action }, request.headers['idempotency-key']);

      return reply.code(201).header('location', `/api/v1/rules/${rule.id}`).send(rule);
    },
  );

  app.get(
    '/rules/:ruleId',
    { schema: { tags, params: Params, response: { 200: ShownRule, ...problems } } },
    async (request) => findRule(api, request.params.ruleId),
  );

  app.put(
    '/rules/:ruleId',
    { schema: { tags, params: Params, body: ChangeBody, response: { 200: ShownRule, ...problems } } },
    async (request) => {
      const { ruleId } = request.params;
      const { match } = await findRule(api, ruleId);
      const action = await readAction(api, request.body.action);
      const time = new Date().toISOString();
      const data = { ruleId, match, action, changedAt: time };
      await say(api, 'rule.changed', { subject: ruleId, time, data });

      return findRule(api, ruleId);
    },
  );

  app.delete(
    '/rules/:ruleId',
    { schema: { tags, params: Params, response: { 204: Type.Null(), ...problems } } },
    async (request, reply) => {
      const { ruleId } = request.params;
      if (ruleId === defaultRuleId)
        throw new Problem(409, 'RULE_NOT_DELETABLE', 'the default rule stays; it can be changed');
      await findRule(api, ruleId);
      const time = new Date().toISOString();
      await say(api, 'rule.deleted', { subject: ruleId, time, data: { ruleId, deletedAt: time } });

      return reply.code(204).send(null);
    },
  );
};
