import Type from 'typebox';
import { Name, Timestamp, Uuid } from './primitives.ts';
import { ControllerProfile } from './controller.ts';
import { RuleAction } from './rule.ts';
import { ControllerType } from './session.ts';

/** A home as the pilot saw it when it placed a call. */
export const HomeSeen = Type.Object({
  nodeId: Name,
  state: Type.String(),
  load: Type.Number(),
  reserved: Type.Number(),
  capacity: Type.Number(),
});
export type HomeSeen = Type.Static<typeof HomeSeen>;

/** What a pilot did with one INVITE, and why. */
export const CallPlacement = Type.Object({
  pilot: Name,
  at: Timestamp,
  callId: Type.String(),
  controllerAddress: Type.String(),
  type: ControllerType,
  unclassified: Type.Optional(Type.String({ description: 'why it could not be classified' })),
  dialledUser: Type.Optional(Type.String()),
  weight: Type.Number({ description: 'streams' }),
  problems: Type.Array(Type.String(), { description: 'what broke the rules in the INVITE' }),
  rule: Type.Optional(Type.Object({ ruleId: Uuid, matched: Type.String(), action: RuleAction })),
  profile: Type.Object({
    network: Type.Optional(Type.String({ description: 'absent: nobody described this controller' })),
    source: Type.Optional(Type.Union([Type.Literal('api'), Type.Literal('file')])),
    profile: ControllerProfile,
  }),
  action: Type.Union([Type.Literal('redirect'), Type.Literal('proxy'), Type.Literal('refuse')]),
  reason: Type.String({ description: 'why it went this way' }),
  status: Type.Optional(Type.Integer({ description: 'of the refusal' })),
  considered: Type.Array(HomeSeen),
  homes: Type.Array(Name, { description: 'node ids pointed to, best first' }),
  outcome: Type.String({
    description: 'of the reservation: open, claimed, lost, cancelled; none without one',
  }),
  claimedBy: Type.Optional(Name),
});
export type CallPlacement = Type.Static<typeof CallPlacement>;

/** `query.<nodeId>`, a request that changes nothing. */
export const Query = Type.Object({ name: Type.Literal('explain'), callId: Type.String() });
export type Query = Type.Static<typeof Query>;

export const ExplainReply = Type.Object({ placements: Type.Array(CallPlacement) });
export type ExplainReply = Type.Static<typeof ExplainReply>;
