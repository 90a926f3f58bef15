import { project, PublicSession } from '@reelstream/events';
import type {
  Controller,
  Correlation,
  Dialled,
  DialogInfo,
  DomainEvent,
  EndReason,
  EventOf,
  Interruption,
  SessionState,
  SystemTag,
  Track,
} from '@reelstream/events';
import { mergeTags, noAnnotations } from './annotations.ts';
import type { Annotations } from './annotations.ts';
import { assertNever } from './assert.ts';

const ofSessions = [
  'session.started',
  'session.updated',
  'session.resumed',
  'session.ended',
  'recording.sealed',
  'recording.removed',
] as const;

/** What the home of a session writes of it; its versions count the session's journal. */
export type SessionEvent = EventOf<(typeof ofSessions)[number]>;

export const isSessionEvent = (event: DomainEvent): event is SessionEvent =>
  ofSessions.some((type) => type === event.type);

type Sealed = EventOf<'recording.sealed'>['data'];

/** A session as its events tell it; what the databases keep. Versions count its journal, without gaps. */
export type SessionRecord = {
  readonly sessionId: string;
  readonly version: number;
  readonly epoch: number;
  readonly origin: string;
  readonly state: SessionState;
  readonly startedAt: string;
  readonly endedAt?: string;
  readonly durationMs?: number;
  readonly endReason?: EndReason;
  readonly clusterId: string;
  readonly home: string;
  readonly host: string;
  readonly controller: Controller;
  readonly dialled?: Dialled;
  readonly dialogs: readonly DialogInfo[];
  readonly correlation: Correlation;
  readonly tracks: readonly Track[];
  /** What the home marked, in order; absent: nothing yet. */
  readonly tags?: readonly SystemTag[];
  readonly flags?: readonly string[];
  /** When its home was away, in order; absent: never. */
  readonly interruptions?: readonly Interruption[];
  readonly recording?: Sealed;
  /** When its media was taken away. */
  readonly removedAt?: string;
  /** What users said of it; absent: nothing. */
  readonly annotations?: Annotations;
};

const begin = (event: EventOf<'session.started'>): SessionRecord => ({
  ...event.data,
  version: event.version,
  epoch: event.epoch,
  origin: event.origin,
  state: 'ACTIVE',
});

const change = (
  record: SessionRecord,
  event: Exclude<SessionEvent, { type: 'session.started' }>,
): SessionRecord => {
  const seen = { ...record, version: event.version, epoch: event.epoch, origin: event.origin };
  switch (event.type) {
    case 'session.updated': {
      const { sessionId: _same, reason: _why, ...description } = event.data;

      // A home that was only cut off goes on with a session that was taken for interrupted.
      return { ...seen, state: 'ACTIVE', ...description };
    }
    case 'session.resumed':
      return { ...seen, state: 'ACTIVE', ...event.data };
    case 'session.ended':
      return { ...seen, ...event.data };
    case 'recording.sealed':
      return { ...seen, recording: event.data };
    case 'recording.removed':
      return { ...seen, removedAt: event.data.removedAt };
    default:
      return assertNever(event);
  }
};

/**
 * The session after one more of its events. The caller applies versions in order and without gaps,
 * so a record always begins with `session.started`; anything else is a bug and throws.
 */
export const evolveSession = (record: SessionRecord | undefined, event: SessionEvent): SessionRecord => {
  if (event.type === 'session.started') return begin(event);
  if (!record)
    throw new Error(`${event.type} version ${event.version} of ${event.subject} before session.started`);

  return change(record, event);
};

/** The session of a home that was lost: derived, not a fact of its own; the home's next fact moves it on. */
export const interrupt = (record: SessionRecord): SessionRecord =>
  record.state === 'ACTIVE' ? { ...record, state: 'INTERRUPTED' } : record;

const publicRecording = (sessionId: string, sealed: Sealed): NonNullable<PublicSession['recording']> => ({
  sealedAt: sealed.sealedAt,
  sizeBytes: sealed.sizeBytes,
  ...(sealed.recovered === undefined ? {} : { recovered: sealed.recovered }),
  gaps: sealed.gaps,
  wavUrl: `/api/v1/sessions/${sessionId}/recording.wav`,
  mp4Url: `/api/v1/sessions/${sessionId}/recording.mp4`,
  opusUrl: `/api/v1/sessions/${sessionId}/recording.opus`,
  mp3Url: `/api/v1/sessions/${sessionId}/recording.mp3`,
  tonesUrl: `/api/v1/sessions/${sessionId}/tones`,
  files: sealed.files.flatMap(({ trackNumber, name, sizeBytes, sha256 }) =>
    trackNumber === undefined || !name.endsWith('.rtpdump')
      ? []
      : [
          {
            trackNumber,
            sizeBytes,
            sha256,
            rtpdumpUrl: `/api/v1/sessions/${sessionId}/tracks/${trackNumber}.rtpdump`,
          },
        ],
  ),
});

/** The state of a session as everybody is told it: what users said counts too. */
export const stateOf = ({ state, annotations }: SessionRecord): SessionState =>
  annotations?.deletedAt === undefined ? state : 'DELETED';

/** Whether its home is to take its media away, and has not said so yet. */
export const mustRemoveMedia = ({ endedAt, removedAt, annotations }: SessionRecord): boolean =>
  annotations?.deletedAt !== undefined && endedAt !== undefined && removedAt === undefined;

/** What the API and the webhooks show of a session. */
export const publicSession = (record: SessionRecord): PublicSession => {
  const { recording, dialogs, tracks, tags, flags, interruptions, removedAt, annotations, ...facts } = record;
  const said = annotations ?? noAnnotations;
  const isThere = removedAt === undefined && said.deletedAt === undefined;

  return project(PublicSession, {
    ...facts,
    state: stateOf(record),
    dialogs: [...dialogs],
    tracks: [...tracks],
    tags: mergeTags(tags ?? [], said),
    ...(flags && { flags: [...flags] }),
    ...(interruptions && { interruptions: [...interruptions] }),
    ...(recording && isThere && { recording: publicRecording(record.sessionId, recording) }),
    ...(removedAt !== undefined && { recordingRemovedAt: removedAt }),
    ...(said.deletedAt !== undefined && { deletedAt: said.deletedAt }),
  });
};
