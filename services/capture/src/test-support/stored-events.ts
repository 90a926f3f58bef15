import type { Bus } from '@reelstream/bus';
import type { DomainEvent } from '@reelstream/events';

/** What the stream holds up to `through`, in order. */
export const storedEvents = async (bus: Bus, through: number): Promise<readonly DomainEvent[]> => {
  const found: DomainEvent[] = [];
  if (through === 0) return found;
  const stop = new AbortController();
  for await (const batch of bus.events.read({ after: 0, signal: stop.signal })) {
    for (const { event } of batch.events) if (event) found.push(event);
    if (batch.through >= through) break;
  }
  stop.abort();

  return found;
};
