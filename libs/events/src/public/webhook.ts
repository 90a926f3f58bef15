import Type from 'typebox';
import { Name, Timestamp, Uuid } from '../primitives.ts';

/** Event types that integrators can subscribe to. */
export const publicTypes = [
  'session.started',
  'session.updated',
  'session.resumed',
  'session.ended',
  'session.deleted',
  'recording.sealed',
  'recording.removed',
  'tag.added',
  'tag.removed',
  'attempt.refused',
  'attempt.cancelled',
  'attempt.lost',
  'attempt.failed',
  'node.lost',
] as const;
export type PublicType = (typeof publicTypes)[number];

/** The body of one delivery (Standard Webhooks). It never changes between attempts. */
export const WebhookBody = Type.Object({
  id: Type.String({ ...Uuid, description: "the event's id, and the webhook-id header" }),
  type: Type.Unsafe<PublicType>(Type.Union(publicTypes.map((type) => Type.Literal(type)))),
  time: Timestamp,
  sequence: Type.Integer({ minimum: 1, description: 'contiguous per subscription: a gap is a loss' }),
  position: Type.String({
    description: 'generation:sequence, opaque; what a query must have reached to agree',
  }),
  origin: Name,
  forwarded: Type.Boolean({ description: 'delivered by another server than its origin' }),
  committedOn: Type.Array(Name),
  data: Type.Unknown({
    description:
      "for session and recording types: the session as of this event; for tags: the event's data, and the session as `session`",
  }),
});
export type WebhookBody = Type.Static<typeof WebhookBody>;
