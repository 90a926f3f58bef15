import type { Metadata, MetadataStream } from '@reelstream/sip';

/** What becomes of the session of ours when a recording session says something new. */
export type Turn =
  /** It goes on, and records these communication sessions from now on. */
  | { readonly kind: 'same'; readonly recorded: ReadonlySet<string> }
  /** It ends, and the next begins in the same dialog, with these. */
  | { readonly kind: 'next'; readonly recorded: ReadonlySet<string> }
  /** It ends, and nothing is on until more is said. */
  | { readonly kind: 'idle' };

/** Communication sessions (RFC 7865 §6.3) that have not ended. */
export const openSessions = (metadata: Metadata | undefined): ReadonlySet<string> =>
  new Set(metadata?.sessions.flatMap(({ id, stoppedAt }) => (stoppedAt === undefined ? [id] : [])) ?? []);

const isHeard = (metadata: Metadata, { id }: MetadataStream): boolean => {
  const senders = metadata.participantStreams.filter(({ send }) => send.includes(id));

  return senders.length === 0 || senders.some(({ disassociatedAt }) => disassociatedAt === undefined);
};

/** Whether a session has a stream on a line that still runs. One without any stream is told by its stop-time only. */
const hasMedia = (metadata: Metadata, sessionId: string, running: ReadonlySet<string>): boolean => {
  const streams = metadata.streams.filter((stream) => stream.sessionId === sessionId);

  return (
    streams.length === 0 ||
    streams.some(
      (stream) => stream.label !== undefined && running.has(stream.label) && isHeard(metadata, stream),
    )
  );
};

/**
 * Communication sessions that follow one another have sessions of ours of their own; those that overlap, or share their
 * streams, are one. `recorded` are those the running session has, `running` the labels of lines that have not been removed;
 * `hasLines`: there are such lines, labelled or not. Without metadata nothing is parted.
 */
export const turnOf = (
  recorded: ReadonlySet<string>,
  metadata: Metadata | undefined,
  running: { readonly labels: ReadonlySet<string>; readonly hasLines: boolean },
): Turn => {
  const open = openSessions(metadata);
  if (!metadata || recorded.size === 0) return { kind: 'same', recorded: open };
  const goingOn = [...recorded].filter((id) => open.has(id));
  const come = [...open].filter((id) => !recorded.has(id));
  if (come.length === 0) {
    const isOver = goingOn.length === 0 && metadata.sessions.length > 0 && !running.hasLines;

    return isOver ? { kind: 'idle' } : { kind: 'same', recorded };
  }
  const left = goingOn.filter((id) => hasMedia(metadata, id, running.labels));
  const hasBegun = come.some((id) => hasMedia(metadata, id, running.labels));
  if (left.length > 0 || !(goingOn.length === 0 || hasBegun))
    return { kind: 'same', recorded: new Set([...recorded, ...come]) };

  return { kind: 'next', recorded: new Set(come) };
};
