import type { Bus } from '@reelstream/bus';
import type { DomainEvent } from '@reelstream/events';

/** What the stream holds now, in order. */
export const storedEvents = async (bus: Bus): Promise<readonly DomainEvent[]> => {
  const { lastSequence } = await bus.events.info();
  const found: DomainEvent[] = [];
  if (lastSequence === 0) return found;
  const stop = new AbortController();
  for await (const batch of bus.events.read({ after: 0, signal: stop.signal })) {
    for (const { event } of batch.events) if (event) found.push(event);
    if (batch.through >= lastSequence) break;
  }
  stop.abort();

  return found;
};
