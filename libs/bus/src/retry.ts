import { setTimeout as sleep } from 'node:timers/promises';
import { errors, RequestError } from '@nats-io/transport-node';
import { JetStreamApiCodes, JetStreamApiError } from '@nats-io/jetstream';
import { jserrors } from '@nats-io/jetstream/internal';
import { BusError } from './errors.ts';
import type { Link } from './link.ts';

const firstPauseMs = 50;
const longestPauseMs = 1_000;

/**
 * JetStream API errors that pass: no leader yet, peers still joining, out of resources for the moment; and a stream that
 * is not there (a store that was wiped), for every service that ensures it does so again after a reconnect.
 */
const passing = new Set<number>([10005, 10008, 10023, 10077, JetStreamApiCodes.StreamNotFound]);

/** True for what a cluster says while it restarts or elects: it is to be tried again. */
export const isTransient = (error: unknown): boolean =>
  error instanceof errors.TimeoutError ||
  error instanceof RequestError ||
  error instanceof errors.NoRespondersError ||
  error instanceof jserrors.JetStreamNotEnabled ||
  (error instanceof BusError && (error.code === 'BUS_NO_RESPONDER' || error.code === 'BUS_TIMEOUT')) ||
  (error instanceof JetStreamApiError && (error.status === 503 || passing.has(error.code)));

/** A pause that grows from 50 ms to 1 s with `attempt` (0 is the first), with jitter; ends early when the link changes. */
export const pauseBeforeRetry = async (link: Link, attempt: number, signal?: AbortSignal): Promise<void> => {
  const longest = Math.min(longestPauseMs, firstPauseMs * 2 ** Math.min(attempt, 10));
  const signals = signal ? [signal, link.closing] : [link.closing];
  await sleep(longest * (0.5 + Math.random() / 2), undefined, { signal: AbortSignal.any(signals) }).catch(
    () => undefined,
  );
  signal?.throwIfAborted();
};

/** Tries `action` on a live connection until it succeeds, or fails for a reason that a retry can't mend. */
export const untilDone = async <T>(
  link: Link,
  action: () => Promise<T>,
  signal?: AbortSignal,
): Promise<T> => {
  for (let attempt = 0; ; attempt += 1) {
    await link.whenUp(signal);
    try {
      return await link.whileUp(action());
    } catch (error) {
      if (!isTransient(error)) throw error;
    }
    await pauseBeforeRetry(link, attempt, signal);
  }
};
