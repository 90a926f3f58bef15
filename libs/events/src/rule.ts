import Type from 'typebox';
import { Timestamp, Uuid } from './primitives.ts';

/** Which direct calls a rule is for, by the user part that was dialled. */
export const RuleMatch = Type.Union([
  Type.Object(
    { kind: Type.Literal('exact'), user: Type.String({ minLength: 1, maxLength: 128 }) },
    { additionalProperties: false },
  ),
  Type.Object(
    { kind: Type.Literal('prefix'), user: Type.String({ minLength: 1, maxLength: 128 }) },
    { additionalProperties: false },
  ),
  Type.Object({ kind: Type.Literal('default') }, { additionalProperties: false }),
]);
export type RuleMatch = Type.Static<typeof RuleMatch>;

export const RuleAction = Type.Union([
  Type.Object(
    {
      kind: Type.Literal('record'),
      media: Type.Union([Type.Literal('audio'), Type.Literal('audio-video')]),
    },
    { additionalProperties: false },
  ),
  Type.Object({ kind: Type.Literal('play-once'), mediaFileId: Uuid }, { additionalProperties: false }),
  Type.Object(
    { kind: Type.Literal('play-continuously'), mediaFileId: Uuid },
    { additionalProperties: false },
  ),
  Type.Object(
    { kind: Type.Literal('reject'), status: Type.Integer({ minimum: 400, maximum: 699 }) },
    { additionalProperties: false },
  ),
]);
export type RuleAction = Type.Static<typeof RuleAction>;

/** What to do with a direct call to an address. The id is derived from the match: two servers that make it make one. */
export const Rule = Type.Object({
  ruleId: Uuid,
  match: RuleMatch,
  action: RuleAction,
});
export type Rule = Type.Static<typeof Rule>;

export const RuleCreated = Type.Object({ ...Rule.properties, createdAt: Timestamp });
export type RuleCreated = Type.Static<typeof RuleCreated>;

export const RuleChanged = Type.Object({ ...Rule.properties, changedAt: Timestamp });
export type RuleChanged = Type.Static<typeof RuleChanged>;

export const RuleDeleted = Type.Object({ ruleId: Uuid, deletedAt: Timestamp });
export type RuleDeleted = Type.Static<typeof RuleDeleted>;
