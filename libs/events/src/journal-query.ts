import Type from 'typebox';
import { StoredEvent } from './envelope.ts';
import { Count, Uuid } from './primitives.ts';

const Version = Type.Integer({ minimum: 1 });

/** `query.<home>`: what the journals in a home's folders hold, in the order of their sessions' ids, some at a time. */
export const JournalsQuery = Type.Object({
  name: Type.Literal('journals'),
  after: Type.Optional({ ...Uuid, description: 'the last session that is known; absent: from the oldest' }),
  only: Type.Optional({ ...Uuid, description: 'nothing but this session' }),
  limit: Type.Integer({ minimum: 1, maximum: 500, description: 'sessions to look at' }),
  media: Type.Boolean({ description: 'whether all media is read, and compared with its hashes' }),
});
export type JournalsQuery = Type.Static<typeof JournalsQuery>;

/** `query.<home>`: some events of a journal, whole; the reply holds as many of the first as fit in a message. */
export const JournalledQuery = Type.Object({
  name: Type.Literal('journalled'),
  sessionId: Uuid,
  versions: Type.Array(Version, { minItems: 1 }),
});
export type JournalledQuery = Type.Static<typeof JournalledQuery>;

/** A session as its folder tells it. */
export const JournalSummary = Type.Object({
  sessionId: Uuid,
  events: Type.Array(Type.Tuple([Version, Type.String()]), {
    description: 'version and digest of each event, in the order of the file',
  }),
  underWay: Type.Boolean({
    description: 'not all that it holds, or will hold, is known to be in every database',
  }),
  damagedBytes: { ...Count, description: 'of the journal, that no line can be read from' },
  files: Type.Array(
    Type.Object({
      name: Type.String({ description: 'within the folder' }),
      problem: Type.Union([Type.Literal('missing'), Type.Literal('altered')]),
    }),
    { description: 'of those that were sealed, the ones that are not as they were' },
  ),
});
export type JournalSummary = Type.Static<typeof JournalSummary>;

export const JournalsReply = Type.Object({
  journals: Type.Array(JournalSummary),
  through: Type.Optional({
    ...Uuid,
    description: 'the last session looked at: there may be more; absent: there is none behind',
  }),
});
export type JournalsReply = Type.Static<typeof JournalsReply>;

/** Events as their journal holds them. */
export const JournalledReply = Type.Object({
  events: Type.Array(StoredEvent),
});
export type JournalledReply = Type.Static<typeof JournalledReply>;
