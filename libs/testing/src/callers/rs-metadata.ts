/** Recording metadata of a session recording client (RFC 7865), complete. */

export type MetadataStream = {
  /** Ids are base64 of a UUID (RFC 7865 §6.10). */
  readonly streamId: string;
  readonly label: string;
  readonly participantId: string;
  /** SIP address of who is heard on it. */
  readonly address: string;
  readonly name: string | undefined;
};

export type Metadata = {
  readonly sessionId: string;
  readonly groupId: string;
  /** `local;remote=remote` of RFC 7989, 32 hexadecimal digits each. */
  readonly sipSessionId: string;
  readonly startedAt: Date;
  readonly streams: readonly MetadataStream[];
};

const escapes: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

const xml = (text: string): string => text.replace(/[&<>"]/g, (character) => escapes[character] ?? character);

const participant = (stream: MetadataStream): string => `
  <participant participant_id="${stream.participantId}">
    <nameID aor="${xml(stream.address)}">${
      stream.name === undefined ? '' : `<name xml:lang="en">${xml(stream.name)}</name>`
    }</nameID>
  </participant>`;

const associations = (metadata: Metadata, stream: MetadataStream, time: string): string => `
  <participantsessionassoc participant_id="${stream.participantId}" session_id="${metadata.sessionId}">
    <associate-time>${time}</associate-time>
  </participantsessionassoc>
  <participantstreamassoc participant_id="${stream.participantId}">
    <send>${stream.streamId}</send>${metadata.streams
      .filter(({ streamId }) => streamId !== stream.streamId)
      .map(({ streamId }) => `\n    <recv>${streamId}</recv>`)
      .join('')}
  </participantstreamassoc>`;

/** The XML document: a group of one session, and for each stream the participant who is heard on it. */
export const formatMetadata = (metadata: Metadata): string => {
  const time = metadata.startedAt.toISOString();
  const { sessionId, groupId, streams } = metadata;

  return `<?xml version="1.0" encoding="UTF-8"?>
<recording xmlns="urn:ietf:params:xml:ns:recording:1">
  <datamode>complete</datamode>
  <group group_id="${groupId}">
    <associate-time>${time}</associate-time>
  </group>
  <session session_id="${sessionId}">
    <sipSessionID>${metadata.sipSessionId}</sipSessionID>
    <group-ref>${groupId}</group-ref>
    <start-time>${time}</start-time>
  </session>${streams.map(participant).join('')}${streams
    .map(
      ({ streamId, label }) => `
  <stream stream_id="${streamId}" session_id="${sessionId}">
    <label>${label}</label>
  </stream>`,
    )
    .join('')}
  <sessionrecordingassoc session_id="${sessionId}">
    <associate-time>${time}</associate-time>
  </sessionrecordingassoc>${streams.map((stream) => associations(metadata, stream, time)).join('')}
</recording>
`;
};
