import Type from 'typebox';
import { Name, Timestamp, Uuid, Count, DurationMs } from '../primitives.ts';
import { Controller, Correlation, DialogInfo, EndReason, Track } from '../session.ts';

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
  wavUrl: Type.String({ description: 'path below the API' }),
  files: Type.Array(
    Type.Object({ trackNumber: Count, sizeBytes: Count, sha256: Type.String(), rtpdumpUrl: Type.String() }),
  ),
});

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
    dialogs: Type.Array(DialogInfo),
    correlation: Correlation,
    tracks: Type.Array(Track),
    origin: Name,
    clusterId: Name,
    home: Name,
    recording: Type.Optional(PublicRecording),
  },
  { $id: 'Session' },
);
export type PublicSession = Type.Static<typeof PublicSession>;
