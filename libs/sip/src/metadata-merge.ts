import type { Metadata, MetadataSession, ParticipantStream } from './metadata.ts';

const merged = <T>(
  current: readonly T[],
  update: readonly T[],
  key: (item: T) => string,
  change: (before: T, news: T) => T = (_before, news) => news,
): readonly T[] => {
  const byKey = new Map(current.map((item) => [key(item), item]));
  for (const item of update) {
    const before = byKey.get(key(item));
    byKey.set(key(item), before === undefined ? item : change(before, item));
  }

  return [...byKey.values()];
};

const byId = ({ id }: { readonly id: string }): string => id;

/** What an update leaves unsaid stays; an end may come with nothing but the id. */
const changedSession = (before: MetadataSession, news: MetadataSession): MetadataSession => ({
  id: news.id,
  groupId: news.groupId ?? before.groupId,
  sipSessionIds: news.sipSessionIds.length > 0 ? news.sipSessionIds : before.sipSessionIds,
  startedAt: news.startedAt ?? before.startedAt,
  stoppedAt: news.stoppedAt,
});

/**
 * A participant has as many associations as a document gives; an update replaces them, but one that only says when the
 * participant left leaves the streams as they are.
 */
const mergedStreams = (
  current: readonly ParticipantStream[],
  update: readonly ParticipantStream[],
): readonly ParticipantStream[] => {
  const isFarewell = ({ send, receive, disassociatedAt }: ParticipantStream): boolean =>
    send.length === 0 && receive.length === 0 && disassociatedAt !== undefined;
  const replaced = new Set(
    update.filter((one) => !isFarewell(one)).map(({ participantId }) => participantId),
  );
  const kept = current.filter(({ participantId }) => !replaced.has(participantId));

  return [
    ...kept.map((one) => {
      const farewell = update.find(({ participantId }) => participantId === one.participantId);

      return farewell === undefined ? one : { ...one, disassociatedAt: farewell.disassociatedAt };
    }),
    ...update.filter((one) => !isFarewell(one)),
  ];
};

/** The metadata after an update: a partial one changes by id what it names, any other one replaces all. */
export const mergeMetadata = (current: Metadata | undefined, update: Metadata): Metadata => {
  if (!current || update.dataMode !== 'partial') return update;

  return {
    dataMode: current.dataMode,
    namespace: update.namespace,
    groups: merged(current.groups, update.groups, byId),
    sessions: merged(current.sessions, update.sessions, byId, changedSession),
    participants: merged(current.participants, update.participants, byId),
    streams: merged(current.streams, update.streams, byId, (before, news) => ({
      id: news.id,
      sessionId: news.sessionId ?? before.sessionId,
      label: news.label ?? before.label,
    })),
    participantSessions: merged(
      current.participantSessions,
      update.participantSessions,
      ({ participantId, sessionId }) => `${participantId} ${sessionId}`,
      (before, news) => ({ ...news, associatedAt: news.associatedAt ?? before.associatedAt }),
    ),
    participantStreams: mergedStreams(current.participantStreams, update.participantStreams),
    problems: update.problems,
  };
};

/** Ids that the metadata refers to and describes nowhere: a partial update came for what we never heard of. */
export const undescribed = (metadata: Metadata): readonly string[] => {
  const sessions = new Set(metadata.sessions.map(byId));
  const participants = new Set(metadata.participants.map(byId));
  const streams = new Set(metadata.streams.map(byId));
  const missing = (ids: readonly (string | undefined)[], known: ReadonlySet<string>): readonly string[] =>
    ids.filter((id) => id !== undefined && id !== '' && !known.has(id)) as string[];

  return [
    ...new Set([
      ...missing(
        metadata.streams.map(({ sessionId }) => sessionId),
        sessions,
      ),
      ...missing(
        [...metadata.participantSessions, ...metadata.participantStreams].map(
          ({ participantId }) => participantId,
        ),
        participants,
      ),
      ...missing(
        metadata.participantStreams.flatMap(({ send, receive }) => [...send, ...receive]),
        streams,
      ),
    ]),
  ];
};
