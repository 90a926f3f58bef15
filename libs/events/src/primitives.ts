import Type from 'typebox';

/** RFC 3339 in UTC with milliseconds, e.g. `2026-11-23T07:00:00.000Z`. Informs; nothing is ordered by it. */
export const Timestamp = Type.String({
  pattern: '^\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}:\\d{2}\\.\\d{3}Z$',
  description: 'RFC 3339 in UTC with milliseconds',
});

export const Uuid = Type.String({ format: 'uuid' });

/** A name that may stand in a NATS subject, a path and a URL: node ids, server names, cluster ids. */
export const Name = Type.String({ pattern: '^[A-Za-z0-9_-]{1,64}$' });

export const Count = Type.Integer({ minimum: 0 });

/** Milliseconds on a monotonic clock. */
export const DurationMs = Type.Number({ minimum: 0 });
