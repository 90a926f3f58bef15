import Type from 'typebox';
import { Count, DurationMs, Timestamp } from './primitives.ts';

/** Longest name of a tag, in UTF-16 code units. */
export const longestTagName = 255;

export const TagName = Type.String({ minLength: 1, maxLength: longestTagName });

/** What a tag of ours may say. */
export const SystemTagName = Type.Union([
  Type.Literal('Pause', { description: 'from here on nothing of the media is kept' }),
  Type.Literal('Resume', { description: 'it is kept again' }),
  Type.Literal('TrackInactive', { description: 'the controller said that the track is silent: a hold' }),
  Type.Literal('TrackActive', { description: 'it is heard again' }),
]);
export type SystemTagName = Type.Static<typeof SystemTagName>;

/** A mark that the home made on the session's timeline. Names that this version doesn't know are kept all the same. */
export const SystemTag = Type.Object({
  name: Type.String({ ...TagName, description: 'Pause, Resume, TrackInactive, TrackActive' }),
  type: Type.Literal('system'),
  at: Timestamp,
  offsetMs: Type.Number({
    ...DurationMs,
    description: 'since the start of the session, on a monotonic clock',
  }),
  trackNumber: Type.Optional(Type.Integer({ ...Count, description: 'absent: the whole session' })),
});
export type SystemTag = Type.Static<typeof SystemTag>;
