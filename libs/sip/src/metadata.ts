import { parseXml } from './xml.ts';
import type { XmlElement } from './xml.ts';

/** Recording metadata, RFC 7865; the draft that Acme's early equipment sends is read into the same shape. */
export type Metadata = {
  /** `partial` changes what was sent before, by id; undefined where the sender doesn't say. */
  readonly dataMode: 'complete' | 'partial' | undefined;
  /** URI that the root element has; empty where it has none. RFC 7865's is `recordingNamespace`. */
  readonly namespace: string;
  readonly groups: readonly MetadataGroup[];
  readonly sessions: readonly MetadataSession[];
  readonly participants: readonly MetadataParticipant[];
  readonly streams: readonly MetadataStream[];
  readonly participantSessions: readonly ParticipantSession[];
  readonly participantStreams: readonly ParticipantStream[];
  readonly problems: readonly string[];
};

export const recordingNamespace = 'urn:ietf:params:xml:ns:recording:1';

/** Times are RFC 3339 in UTC with milliseconds; a time without a zone is taken for UTC. */
type Span = { readonly associatedAt: string | undefined; readonly disassociatedAt: string | undefined };

export type MetadataGroup = Span & { readonly id: string };
export type MetadataSession = {
  readonly id: string;
  readonly groupId: string | undefined;
  /** Session-ID values of the recorded session, RFC 7989. */
  readonly sipSessionIds: readonly string[];
  readonly startedAt: string | undefined;
  /** When it ended, or was taken out of the recording session (RFC 7865 §6.3, §6.7). */
  readonly stoppedAt: string | undefined;
};
export type MetadataParticipant = {
  readonly id: string;
  readonly names: readonly { readonly aor: string | undefined; readonly name: string | undefined }[];
};
export type MetadataStream = {
  readonly id: string;
  readonly sessionId: string | undefined;
  /** As text, to be compared with SDP's a=label. */
  readonly label: string | undefined;
};
export type ParticipantSession = Span & { readonly participantId: string; readonly sessionId: string };
export type ParticipantStream = Span & {
  readonly participantId: string;
  /** Ids of the streams the participant is heard on. */
  readonly send: readonly string[];
  readonly receive: readonly string[];
};

/** Those of its own namespace: a vendor's extension may have elements of the same name. */
const childrenOf = (element: XmlElement, ...names: readonly string[]): readonly XmlElement[] =>
  element.children.filter((child) => names.includes(child.name) && child.namespace === element.namespace);

const textOf = (element: XmlElement, ...names: readonly string[]): string | undefined => {
  const text = childrenOf(element, ...names)[0]?.text;

  return text === '' ? undefined : text;
};

const attributeOf = (element: XmlElement, ...names: readonly string[]): string | undefined => {
  const found = names.find((name) => element.attributes.has(name));

  return found === undefined ? undefined : element.attributes.get(found);
};

const timeOf = (element: XmlElement, name: string, problems: string[]): string | undefined => {
  const text = textOf(element, name);
  if (text === undefined) return undefined;
  const time = new Date(/(Z|[+-]\d{2}:?\d{2})$/i.test(text) ? text : `${text}Z`);
  if (/^\d{4}-\d{2}-\d{2}T/.test(text) && !Number.isNaN(time.getTime())) return time.toISOString();
  problems.push(`${name} of ${element.name} is no time: ${text.slice(0, 64)}`);

  return undefined;
};

const spanOf = (element: XmlElement, problems: string[]): Span => ({
  associatedAt: timeOf(element, 'associate-time', problems),
  disassociatedAt: timeOf(element, 'disassociate-time', problems),
});

/** When a session was taken out of the recording, by the session's id. */
const takenOut = (associations: readonly XmlElement[], problems: string[]): ReadonlyMap<string, string> =>
  new Map(
    associations.flatMap((element) => {
      const time = timeOf(element, 'disassociate-time', problems);

      return time === undefined ? [] : [[attributeOf(element, 'session_id') ?? '', time] as const];
    }),
  );

const sessionOf = (
  element: XmlElement,
  out: ReadonlyMap<string, string>,
  problems: string[],
): MetadataSession => ({
  id: attributeOf(element, 'session_id', 'id') ?? '',
  groupId: textOf(element, 'group-ref') ?? attributeOf(element, 'group'),
  sipSessionIds: childrenOf(element, 'sipSessionID').map(({ text }) => text),
  startedAt: timeOf(element, 'start-time', problems) ?? timeOf(element, 'associate-time', problems),
  stoppedAt:
    timeOf(element, 'stop-time', problems) ??
    timeOf(element, 'disassociate-time', problems) ??
    out.get(attributeOf(element, 'session_id', 'id') ?? ''),
});

/** An association alone, as partial updates have it, tells of its session too. */
const sessionsOf = (
  elements: readonly XmlElement[],
  out: ReadonlyMap<string, string>,
  problems: string[],
): readonly MetadataSession[] => {
  const described = elements.map((element) => sessionOf(element, out, problems));
  const others = [...out].filter(([id]) => described.every((session) => session.id !== id));

  return [...described, ...others.map(([id, stoppedAt]) => ({ id, ...nothingElse, stoppedAt }))];
};

const nothingElse = { groupId: undefined, sipSessionIds: [], startedAt: undefined };

const participantOf = (element: XmlElement): MetadataParticipant => ({
  id: attributeOf(element, 'participant_id', 'id') ?? '',
  names: childrenOf(element, 'nameID').map((nameId) => ({
    aor: attributeOf(nameId, 'aor'),
    name: textOf(nameId, 'name'),
  })),
});

const streamOf = (element: XmlElement): MetadataStream => ({
  id: attributeOf(element, 'stream_id', 'id') ?? '',
  sessionId: attributeOf(element, 'session_id', 'session'),
  label: textOf(element, 'label'),
});

const textsOf = (element: XmlElement, name: string): string[] =>
  childrenOf(element, name)
    .map(({ text }) => text)
    .filter((text) => text !== '');

const participantStreamOf = (element: XmlElement, problems: string[]): ParticipantStream => ({
  participantId: attributeOf(element, 'participant_id', 'id') ?? '',
  send: textsOf(element, 'send'),
  receive: textsOf(element, 'recv'),
  ...spanOf(element, problems),
});

const participantSessionOf = (element: XmlElement, problems: string[]): ParticipantSession => ({
  participantId: attributeOf(element, 'participant_id') ?? '',
  sessionId: attributeOf(element, 'session_id') ?? '',
  ...spanOf(element, problems),
});

/** In the draft a participant names its session and streams itself, by `session`, `send` and `recv`. */
const draftAssociations = (
  participants: readonly XmlElement[],
  problems: string[],
): Pick<Metadata, 'participantSessions' | 'participantStreams'> => {
  const old = participants.filter((element) => element.attributes.has('session'));

  return {
    participantSessions: old.map((element) => ({
      participantId: attributeOf(element, 'id') ?? '',
      sessionId: attributeOf(element, 'session') ?? '',
      ...spanOf(element, problems),
    })),
    participantStreams: old.map((element) => participantStreamOf(element, problems)),
  };
};

const withId = <T extends { readonly id: string }>(
  items: readonly T[],
  what: string,
  problems: string[],
): readonly T[] => {
  const named = items.filter(({ id }) => id !== '');
  if (named.length < items.length) problems.push(`${items.length - named.length} ${what} without id`);

  return named;
};

/** Reads `application/rs-metadata+xml`. Never throws: what can't be read is left out and named in `problems`. */
export const parseMetadata = (xml: string): Metadata => {
  const { root, problems: xmlProblems } = parseXml(xml.trim());
  const problems = [...xmlProblems];
  const recording = root ?? { name: '', namespace: '', attributes: new Map(), children: [], text: '' };
  if (recording.name !== 'recording') problems.push(`root element is not recording but "${recording.name}"`);
  const dataMode = textOf(recording, 'datamode', 'dataMode');
  const all = (name: string): readonly XmlElement[] => childrenOf(recording, name);
  const draft = draftAssociations(all('participant'), problems);
  const groups = all('group').map((element) => ({
    id: attributeOf(element, 'group_id', 'id') ?? '',
    ...spanOf(element, problems),
  }));
  const out = takenOut(all('sessionrecordingassoc'), problems);

  return {
    namespace: recording.namespace,
    dataMode: dataMode === 'complete' || dataMode === 'partial' ? dataMode : undefined,
    groups: withId(groups, 'groups', problems),
    sessions: withId(sessionsOf(all('session'), out, problems), 'sessions', problems),
    participants: withId(all('participant').map(participantOf), 'participants', problems),
    streams: withId(all('stream').map(streamOf), 'streams', problems),
    participantSessions: [
      ...all('participantsessionassoc').map((element) => participantSessionOf(element, problems)),
      ...draft.participantSessions,
    ],
    participantStreams: [
      ...all('participantstreamassoc').map((element) => participantStreamOf(element, problems)),
      ...draft.participantStreams,
    ],
    problems,
  };
};
