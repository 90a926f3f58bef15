import type { Metadata } from './metadata.ts';

/** Who is heard on a stream. */
export type StreamParticipant = {
  readonly participantId: string;
  readonly address: string | undefined;
  readonly name: string | undefined;
  /** RFC 3339 in UTC with milliseconds, as the client tells; undefined where it doesn't. */
  readonly joinedAt: string | undefined;
  readonly leftAt: string | undefined;
};

/**
 * Who is heard on which stream, by the stream's label: those that send it (RFC 7865 §6.10). Times are those of the
 * stream's association, else of the session's (§6.9). A stream nobody sends has an empty list.
 */
export const participantsByLabel = (
  metadata: Metadata,
): ReadonlyMap<string, readonly StreamParticipant[]> => {
  const byLabel = new Map<string, StreamParticipant[]>();
  for (const stream of metadata.streams) {
    if (stream.label === undefined) continue;
    const heard = metadata.participantStreams
      .filter(({ send }) => send.includes(stream.id))
      .map((association): StreamParticipant => {
        const { participantId } = association;
        const [name] = metadata.participants.find(({ id }) => id === participantId)?.names ?? [];
        const inSession = metadata.participantSessions.find(
          (candidate) =>
            candidate.participantId === participantId &&
            (stream.sessionId === undefined || candidate.sessionId === stream.sessionId),
        );

        return {
          participantId,
          address: name?.aor,
          name: name?.name,
          joinedAt: association.associatedAt ?? inSession?.associatedAt,
          leftAt: association.disassociatedAt ?? inSession?.disassociatedAt,
        };
      });
    byLabel.set(stream.label, [...(byLabel.get(stream.label) ?? []), ...heard]);
  }

  return byLabel;
};

const merged = <T>(current: readonly T[], update: readonly T[], key: (item: T) => string): readonly T[] => {
  const byKey = new Map(current.map((item) => [key(item), item]));
  for (const item of update) byKey.set(key(item), item);

  return [...byKey.values()];
};

const byId = ({ id }: { readonly id: string }): string => id;

/** The metadata after an update: a partial one replaces by id what it names, any other one replaces all. */
export const mergeMetadata = (current: Metadata | undefined, update: Metadata): Metadata => {
  if (!current || update.dataMode !== 'partial') return update;

  return {
    dataMode: current.dataMode,
    groups: merged(current.groups, update.groups, byId),
    sessions: merged(current.sessions, update.sessions, byId),
    participants: merged(current.participants, update.participants, byId),
    streams: merged(current.streams, update.streams, byId),
    participantSessions: merged(
      current.participantSessions,
      update.participantSessions,
      ({ participantId, sessionId }) => `${participantId} ${sessionId}`,
    ),
    participantStreams: merged(
      current.participantStreams,
      update.participantStreams,
      ({ participantId }) => participantId,
    ),
    problems: update.problems,
  };
};
