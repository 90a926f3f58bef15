import { derivedId, freshId, mintEvent } from '@reelstream/events';
import type { DataOf, DomainEvent, EventType } from '@reelstream/events';
import Type from 'typebox';
import { findEvent } from '../adapters/event-table.ts';
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

/** Headers of a POST that makes something. */
export const CreateHeaders = Type.Object({
  'idempotency-key': Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 255,
      description: 'a repeat with the same key has the same answer',
    }),
  ),
});

/** Appends a fact of the API and waits until the own database has it. Throws Problem as `append` and `committed` do. */
export const say = async <T extends EventType>(
  api: Api,
  type: T,
  fact: { readonly subject: string; readonly time: string; readonly data: DataOf<T>; readonly id?: string },
): Promise<void> => {
  const { server: origin, source, epoch } = api;
  const id = fact.id ?? freshId();
  await append(api, mintEvent({ type, ...fact, id, source, origin, version: 1, epoch }) as DomainEvent);
  await committed(api, () => findEvent(api.store.db, id));
};

/**
 * The same for a POST that makes something: a repeat with the same Idempotency-Key finds the event there. `isSame` compares
 * the event's data with what is asked now; `refuse` throws where nothing may be made. Returns the time of the event.
 * Throws Problem IDEMPOTENCY_KEY_REUSED.
 */
export const sayOnce = async <T extends EventType>(
  api: Api,
  type: T,
  key: string | undefined,
  fact: {
    readonly subject: string;
    readonly time: string;
    readonly data: DataOf<T>;
    readonly isSame: (before: unknown) => boolean;
    readonly refuse: () => Promise<void>;
  },
): Promise<string> => {
  const { subject, time, data } = fact;
  const id = key === undefined ? freshId() : derivedId(type, 'idempotency-key', key);
  const before = await findEvent(api.store.db, id);
  if (!before) {
    await fact.refuse();
    await say(api, type, { id, subject, time, data });
  }
  // Of several requests with one key the first in the stream wins; the others must have asked for the same.
  const done = before ?? (await findEvent(api.store.db, id));
  if (!done || !fact.isSame(done.data))
    throw new Problem(422, 'IDEMPOTENCY_KEY_REUSED', 'this Idempotency-Key came with another body before');

  return done.time;
};
