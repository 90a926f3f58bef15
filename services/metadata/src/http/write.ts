import type { DomainEvent } from '@reelstream/events';
import type { Api } from './api.ts';
import { Problem } from './problem.ts';

/** How long an answer waits for the stream, and for the own database to have committed. */
const writeLimitMs = 5_000;

/** Appends a fact of the API; resolves once it is in the stream. Throws Problem BUS_UNAVAILABLE. */
export const append = async ({ bus }: Api, event: DomainEvent): Promise<void> => {
  const signal = AbortSignal.timeout(writeLimitMs);
  try {
    await bus.events.appendShared(event, signal);
  } catch (error) {
    if (!signal.aborted) throw error;
    throw new Problem(503, 'BUS_UNAVAILABLE', 'the event stream can not be reached; try again');
  }
};

/** Waits until the own database has what `look` looks for. Throws Problem NOT_COMMITTED_YET. */
export const committed = async <T>(api: Api, look: () => Promise<T | undefined>): Promise<T> => {
  const deadline = performance.now() + writeLimitMs;
  for (;;) {
    const next = api.progress.nextCommit(250);
    const found = await look();
    if (found !== undefined) return found;
    if (performance.now() > deadline)
      throw new Problem(503, 'NOT_COMMITTED_YET', 'it is in the stream, but not in this database yet');
    await next;
  }
};
