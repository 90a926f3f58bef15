import type { Outcome } from './outcome.ts';

const second = 1_000;
const minute = 60 * second;
const hour = 60 * minute;

/** The example of Standard Webhooks: ten attempts over some 75 hours. */
export const defaultBackoffMs: readonly number[] = [
  5 * second,
  5 * minute,
  30 * minute,
  2 * hour,
  5 * hour,
  10 * hour,
  14 * hour,
  20 * hour,
  24 * hour,
];

/** Up to this part of a pause is added, so that what failed together doesn't come back together. */
const jitter = 0.1;
/** However long an endpoint asks us to stay away. */
const longestRetryAfterMs = 24 * hour;

/**
 * When to attempt again after attempt number `attempt` (from 1) failed; undefined to park. A Retry-After can lengthen
 * the pause, never shorten it: impatience would use up the attempts. `chance` is in [0, 1).
 */
export const retryInMs = (
  failure: Extract<Outcome, { status: 'failed' }>,
  attempt: number,
  backoffMs: readonly number[],
  chance: number,
): number | undefined => {
  const pause = backoffMs[attempt - 1];
  if (pause === undefined || failure.final) return undefined;
  const asked = Math.min(failure.retryAfterMs ?? 0, longestRetryAfterMs);

  return Math.max(pause, asked) * (1 + jitter * chance);
};
