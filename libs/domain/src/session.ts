import { project, PublicSession } from '@reelstream/events';
import type {
  Controller,
  Correlation,
  DialogInfo,
  EndReason,
  EventOf,
  SessionState,
  SystemTag,
  Track,
} from '@reelstream/events';
import { assertNever } from './assert.ts';

export type SessionEvent = EventOf<
  'session.started' | 'session.updated' | 'session.ended' | 'recording.sealed'
>;

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
  readonly dialogs: readonly DialogInfo[];
  readonly correlation: Correlation;
  readonly tracks: readonly Track[];
  /** What the home marked, in order; absent: nothing yet. */
  readonly tags?: readonly SystemTag[];
  readonly flags?: readonly string[];
  readonly recording?: Sealed;
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
    case 'session.ended':
      return { ...seen, ...event.data };
    case 'recording.sealed':
      return { ...seen, recording: event.data };
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
  wavUrl: `/api/v1/sessions/${sessionId}/recording.wav`,
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

/** What the API and the webhooks show of a session. */
export const publicSession = (record: SessionRecord): PublicSession => {
  const { recording, dialogs, tracks, tags, flags, ...facts } = record;

  return project(PublicSession, {
    ...facts,
    dialogs: [...dialogs],
    tracks: [...tracks],
    tags: [...(tags ?? [])],
    ...(flags && { flags: [...flags] }),
    ...(recording === undefined ? {} : { recording: publicRecording(record.sessionId, recording) }),
  });
};
