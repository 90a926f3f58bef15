import Type from 'typebox';
import { Timestamp, Uuid } from './primitives.ts';
import { TagName } from './tag.ts';

/** Where a timed tag stands. A tag at the very start would be one of the whole session: that has no offset. */
export const TagOffset = Type.Integer({
  minimum: 1,
  maximum: 7 * 24 * 3_600_000,
  description: 'since the start of the session, ms; absent: all of it',
});

/** The event's id is the tag's: what takes the tag back names it. */
export const TagAdded = Type.Object({
  sessionId: Uuid,
  name: TagName,
  offsetMs: Type.Optional(TagOffset),
  addedAt: Timestamp,
});
export type TagAdded = Type.Static<typeof TagAdded>;

/** Takes back the tags that the server knew of: one that is set at the same time elsewhere stays. */
export const TagRemoved = Type.Object({
  sessionId: Uuid,
  name: TagName,
  tags: Type.Array(
    Type.Object({
      tagId: Type.String({ ...Uuid, description: 'id of its tag.added' }),
      offsetMs: Type.Optional(TagOffset),
    }),
  ),
  removedAt: Timestamp,
});
export type TagRemoved = Type.Static<typeof TagRemoved>;

export const SessionDeleted = Type.Object({
  sessionId: Uuid,
  deletedAt: Timestamp,
  cause: Type.Optional(
    Type.Literal('retention', { description: 'its media was pruned long ago; absent: a user' }),
  ),
});
export type SessionDeleted = Type.Static<typeof SessionDeleted>;
