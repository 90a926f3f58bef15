import Type from 'typebox';
import { Flags } from '../flag.ts';
import { Name, Timestamp, Uuid, Count, DurationMs } from '../primitives.ts';
import { Gap } from '../recording.ts';
import { Controller, Correlation, Dialled, DialogInfo, EndReason, Interruption, Track } from '../session.ts';
import { TagName } from '../tag.ts';

export const SessionState = Type.Union([
  Type.Literal('ACTIVE'),
  Type.Literal('CLOSED_NORMAL'),
  Type.Literal('CLOSED_ERROR'),
  Type.Literal('INTERRUPTED'),
  Type.Literal('DELETED'),
]);
export type SessionState = Type.Static<typeof SessionState>;

export const PublicRecording = Type.Object({
  sealedAt: Timestamp,
  sizeBytes: Count,
  recovered: Type.Optional(Type.Boolean()),
  gaps: Type.Optional(
    Type.Array(Type.Object({ trackNumber: Count, gaps: Type.Array(Gap) }), {
      description: 'where nothing was recorded, and why; tracks without a gap are not listed',
    }),
  ),
  wavUrl: Type.String({ description: 'path: one channel a track' }),
  mp4Url: Type.String({ description: 'path: AAC, with the video that came as H.264' }),
  opusUrl: Type.String({ description: 'path: Opus in Ogg' }),
  mp3Url: Type.String({ description: 'path' }),
  tonesUrl: Type.String({ description: 'path: the keys that were pressed, with offsets' }),
  files: Type.Array(
    Type.Object({ trackNumber: Count, sizeBytes: Count, sha256: Type.String(), rtpdumpUrl: Type.String() }),
  ),
});

/** A mark on a session's timeline, or on the session as a whole. */
export const PublicTag = Type.Object({
  name: TagName,
  type: Type.Union([Type.Literal('user'), Type.Literal('system')]),
  at: Type.String({ ...Timestamp, description: 'when it was set' }),
  offsetMs: Type.Optional(
    Type.Number({ ...DurationMs, description: 'since the start of the session; absent: all of it' }),
  ),
  trackNumber: Type.Optional(Count),
});
export type PublicTag = Type.Static<typeof PublicTag>;

/** A session as the API and the webhooks show it. What is unknown is absent. */
export const PublicSession = Type.Object(
  {
    sessionId: Uuid,
    state: SessionState,
    startedAt: Timestamp,
    endedAt: Type.Optional(Timestamp),
    durationMs: Type.Optional(DurationMs),
    endReason: Type.Optional(EndReason),
    controller: Controller,
    dialled: Type.Optional(Dialled),
    dialogs: Type.Array(DialogInfo),
    correlation: Correlation,
    tracks: Type.Array(Track),
    tags: Type.Array(PublicTag, { description: 'by offset' }),
    flags: Type.Optional(Flags),
    interruptions: Type.Optional(
      Type.Array(Interruption, {
        description: 'when its home was away and nothing was recorded; absent: never',
      }),
    ),
    origin: Name,
    clusterId: Name,
    home: Name,
    recording: Type.Optional(PublicRecording),
    recordingRemovedAt: Type.Optional(Type.String({ ...Timestamp, description: 'its media is gone' })),
    deletedAt: Type.Optional(Timestamp),
  },
  { $id: 'Session' },
);
export type PublicSession = Type.Static<typeof PublicSession>;
