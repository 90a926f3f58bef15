import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Calls `due(n)` for n = 0 … count − 1, each `intervalMs` after the one before on the monotonic clock: a late timer is
 * caught up with, so the pace never drifts. Resolves after the last, or early when `signal` aborts.
 */
export const pace = async (options: {
  readonly count: number;
  /** Moment of the first, by performance.now(); several that share it keep step. */
  readonly startedAt: number;
  readonly intervalMs: number;
  readonly signal: AbortSignal;
  readonly due: (index: number) => void;
}): Promise<void> => {
  const { count, startedAt, intervalMs, signal, due } = options;
  for (let next = 0; next < count;) {
    if (signal.aborted) return;
    const elapsed = performance.now() - startedAt;
    for (; next < count && next * intervalMs <= elapsed; next++) due(next);
    if (next === count) return;
    await sleep(Math.max(1, startedAt + next * intervalMs - performance.now()), undefined, { signal }).catch(
      () => undefined,
    );
  }
};
