import type { FaultCase, FaultRow } from '../fault-case.ts';
import { measureServices } from './measure.ts';
import type { ServiceFigures } from './measure.ts';

const usualCalls = 50;
/** A pilot's next life is there after a second or two; a controller asks again every half second. */
const longestNewCallMs = 10_000;

const rowOf = (found: ServiceFigures): FaultRow => {
  const { killed, calls, packets, requests, newCalls, closedNormal, events } = found;
  const all = (name: string, count: number, of: number) => ({ name, found: count, atLeast: of, atMost: of });

  return {
    fault: `SIGKILL of ${killed}`,
    unit: 'packets',
    sent: packets.sent,
    kept: packets.kept,
    lost: packets.sent - packets.kept,
    gapMs: 0,
    figures: {
      calls,
      'slowest request, ms': requests.longestMs,
      'new calls': newCalls.placed,
      'slowest new call, ms': newCalls.longestMs,
      events: events.journalled,
      'webhooks repeated': events.repeats,
    },
    limits: [
      all('packets kept', packets.kept, packets.sent),
      all('requests answered', requests.answered, requests.sent),
      { name: 'slowest new call, ms', found: newCalls.longestMs, atMost: longestNewCallMs },
      all('sessions that ended in good order', closedNormal, calls),
      all('events in the database, once and in order', events.stored, events.journalled),
      all('webhooks, in order', events.delivered, events.deliverable),
      all(
        'webhooks repeated: same id, same bytes, in order, and saying so',
        events.repeatsRight,
        events.repeats,
      ),
      // Some are under way at any moment, and their answers are lost with it.
      { name: 'webhooks repeated', found: events.repeats, atLeast: killed === 'publisher' ? 1 : 0 },
    ],
  };
};

export const servicesCase: FaultCase = {
  name: 'services',
  does: 'kills pilot, its SIP server, metadata, publisher, playback, NATS and PostgreSQL under load: nothing is lost, told once, in order',
  limitMinutes: 15,
  run: async ({ seed, calls = usualCalls }) => (await measureServices({ calls, seed })).map(rowOf),
};
