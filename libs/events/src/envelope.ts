import Type from 'typebox';
import { Name, Timestamp, Uuid } from './primitives.ts';

/**
 * What every event carries around its `data`: the CloudEvents 1.0 attributes and ours.
 * `subject` is the key of the fact (a session's id, a node's id …); with the family it makes the NATS subject.
 */
export const Envelope = Type.Object({
  specversion: Type.Literal('1.0'),
  id: Type.String({
    ...Uuid,
    description: 'UUIDv7, or UUIDv5 of its cause for a derived fact; the same in every retry',
  }),
  type: Type.String({ description: 'noun.verb in the past tense' }),
  source: Type.String({ description: 'CloudEvents source: /<cluster>/<node>' }),
  subject: Type.String({
    pattern: '^[A-Za-z0-9_-]{1,64}$',
    description: 'the key: id of what the fact is about',
  }),
  time: Timestamp,
  origin: Type.String({ ...Name, description: 'the database server that generates the event' }),
  version: Type.Integer({
    minimum: 1,
    description:
      "place in the session's journal, without gaps over its session and recording subjects; 1 where facts commute",
  }),
  epoch: Type.Integer({ minimum: 0, description: 'life of the writer; a higher one fences a lower one' }),
  schema: Type.Integer({ minimum: 1, description: 'of `data`, per type; older ones are upcast on read' }),
  traceparent: Type.Optional(Type.String({ description: 'W3C trace context' })),
});
export type Envelope = Type.Static<typeof Envelope>;

/** An event as it is stored: the envelope with its data, before anyone has looked at the type. */
export type RawEvent = Envelope & { readonly data: unknown };

/** The same as a schema, for messages that carry events. */
export const StoredEvent = Type.Intersect([Envelope, Type.Object({ data: Type.Unknown() })]);
