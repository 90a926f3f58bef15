import Type from 'typebox';
import { MediaFigures } from './media-figures.ts';
import { Count, DurationMs, Name, Timestamp, Uuid } from './primitives.ts';

export const Gap = Type.Object({
  fromMs: Type.Number({ description: 'since the start of the session' }),
  durationMs: DurationMs,
  cause: Type.Union([
    Type.Literal('loss'),
    Type.Literal('interrupted'),
    Type.Literal('paused', { description: 'by command: nothing was to be kept' }),
  ]),
});
export type Gap = Type.Static<typeof Gap>;

export const RecordingFile = Type.Object({
  name: Type.String({ description: 'relative to the recording folder' }),
  trackNumber: Type.Optional(Count),
  sizeBytes: Count,
  sha256: Type.String({ pattern: '^[0-9a-f]{64}$' }),
});
export type RecordingFile = Type.Static<typeof RecordingFile>;

export const RemovalCause = Type.Union([
  Type.Literal('deleted', { description: 'the session was deleted' }),
  Type.Literal('pruned', { description: 'by retention; the session is kept' }),
]);
export type RemovalCause = Type.Static<typeof RemovalCause>;

/** The media of a session is gone from its home's disk; its journal stays. */
export const RecordingRemoved = Type.Object({
  sessionId: Uuid,
  removedAt: Timestamp,
  home: Name,
  host: Type.String(),
  cause: RemovalCause,
});
export type RecordingRemoved = Type.Static<typeof RecordingRemoved>;

/** The media of a session is complete on its home's disk; the data is the manifest's summary. */
export const RecordingSealed = Type.Object({
  sessionId: Uuid,
  sealedAt: Timestamp,
  home: Name,
  host: Type.String(),
  folder: Type.String({ description: "relative to the host's recordings folder" }),
  sizeBytes: Count,
  files: Type.Array(RecordingFile),
  gaps: Type.Array(Type.Object({ trackNumber: Count, gaps: Type.Array(Gap) })),
  figures: Type.Optional(
    Type.Array(Type.Object({ trackNumber: Count, figures: MediaFigures }), {
      description: 'of what was kept of each track',
    }),
  ),
  encryption: Type.Literal('none'),
  recovered: Type.Optional(Type.Boolean({ description: 'sealed after a crash, from what the disk held' })),
});
export type RecordingSealed = Type.Static<typeof RecordingSealed>;
