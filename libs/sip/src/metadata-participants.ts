import type { Metadata, MetadataStream, ParticipantStream } from './metadata.ts';

/** Who is heard on a stream. */
export type StreamParticipant = {
  readonly participantId: string;
  readonly address: string | undefined;
  readonly name: string | undefined;
  /** RFC 3339 in UTC with milliseconds, as the client tells; undefined where it doesn't. */
  readonly joinedAt: string | undefined;
  readonly leftAt: string | undefined;
};

/** A stream is that of a session the caller asks for, or says of none. */
const isOf = ({ sessionId }: MetadataStream, sessions: ReadonlySet<string> | undefined): boolean =>
  sessions === undefined || sessionId === undefined || sessions.has(sessionId);

const partyOf = (
  metadata: Metadata,
  participantId: string,
  sessionId: string | undefined,
  association?: ParticipantStream,
): StreamParticipant => {
  const [name] = metadata.participants.find(({ id }) => id === participantId)?.names ?? [];
  const inSession = metadata.participantSessions.find(
    (candidate) =>
      candidate.participantId === participantId &&
      (sessionId === undefined || candidate.sessionId === sessionId),
  );

  return {
    participantId,
    address: name?.aor,
    name: name?.name,
    joinedAt: association?.associatedAt ?? inSession?.associatedAt,
    leftAt: association?.disassociatedAt ?? inSession?.disassociatedAt,
  };
};

const heardOn = (metadata: Metadata, stream: MetadataStream): readonly StreamParticipant[] =>
  metadata.participantStreams
    .filter(({ send }) => send.includes(stream.id))
    .map((association) => partyOf(metadata, association.participantId, stream.sessionId, association));

/**
 * Who is heard on which stream, by the stream's label: those that send it (RFC 7865 §6.10). Times are those of the
 * stream's association, else of the session's (§6.9). A stream nobody sends has an empty list. Only streams of these
 * communication sessions, where some are given.
 */
export const participantsByLabel = (
  metadata: Metadata,
  sessions?: ReadonlySet<string>,
): ReadonlyMap<string, readonly StreamParticipant[]> => {
  const byLabel = new Map<string, readonly StreamParticipant[]>();
  for (const stream of metadata.streams) {
    if (stream.label === undefined || !isOf(stream, sessions)) continue;
    byLabel.set(stream.label, [...(byLabel.get(stream.label) ?? []), ...heardOn(metadata, stream)]);
  }

  return byLabel;
};

/**
 * Who is heard on the first stream, the second …, for clients that write no labels, or no streams: in the order of the
 * document. Empty where labels can tell.
 */
export const participantsInOrder = (
  metadata: Metadata,
  sessions?: ReadonlySet<string>,
): readonly (readonly StreamParticipant[])[] => {
  const streams = metadata.streams.filter((stream) => isOf(stream, sessions));
  if (streams.some(({ label }) => label !== undefined)) return [];
  if (streams.length > 0) return streams.map((stream) => heardOn(metadata, stream));

  return metadata.participants.map(({ id }) => [partyOf(metadata, id, undefined)]);
};
