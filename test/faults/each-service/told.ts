import { publicTypes } from '@reelstream/events';
import type { RawEvent } from '@reelstream/events';
import { readJournal } from '@reelstream/recording';
import { waitFor } from '@reelstream/testing';
import type { System } from '../../support/system.ts';
import type { Endpoint, Received } from '../../support/webhooks.ts';

/** Of the events in the journals of some calls, what became of them on their way. */
export type Told = {
  readonly journalled: number;
  /** In the database, each once, in the order of the journal. */
  readonly stored: number;
  /** Of those that webhooks tell: delivered, in the order of the journal. */
  readonly delivered: number;
  readonly deliverable: number;
  /** Deliveries of what had been delivered. */
  readonly repeats: number;
  /** Those of them with the id and the bytes of the first that say so, and come before what is later in their session. */
  readonly repeatsRight: number;
};

const isPublic = new Set<string>(publicTypes);
const withinMs = 60_000;

/** Every event that the database holds, in its order. */
const storedEvents = async (system: System, last: ReadonlySet<string>): Promise<readonly RawEvent[]> => {
  const ended = AbortSignal.timeout(withinMs);
  const response = await system.api('/events?after=0:0', { signal: ended });
  const events: RawEvent[] = [];
  const missing = new Set(last);
  let text = '';
  try {
    for await (const chunk of response.body ?? []) {
      text += new TextDecoder().decode(chunk as Uint8Array, { stream: true });
      const blocks = text.split('\n\n');
      text = blocks.pop() ?? '';
      for (const block of blocks) {
        const data = /^data: (.*)$/m.exec(block)?.[1];
        if (data === undefined) continue;
        const event = JSON.parse(data) as RawEvent;
        events.push(event);
        missing.delete(event.id);
      }
      if (missing.size === 0) break;
    }
  } catch (error) {
    if (!ended.aborted) throw error;
  }

  return events;
};

/** How many stand where they should, none too many before them. */
const inOrder = (wanted: readonly string[], found: readonly string[]): number =>
  wanted.filter((id, at) => found[at] === id).length;

/** What came more than once, and how many of these repeats are as they should be. `sessionOf` names an event's session. */
const judgeRepeats = (
  received: readonly Received[],
  sessionOf: ReadonlyMap<string, string>,
): Pick<Told, 'repeats' | 'repeatsRight'> => {
  const first = new Map<string, Received>();
  const latest = new Map<string | undefined, string>();
  const judged = { repeats: 0, repeatsRight: 0 };
  for (const one of received) {
    const { id } = one.body;
    const before = first.get(id);
    if (before) {
      const isSame = one.text === before.text && one.headers['webhook-id'] === before.headers['webhook-id'];
      const saysSo = Number(one.headers['reelstream-attempt']) > 1;
      const isInOrder = latest.get(sessionOf.get(id)) === id;
      judged.repeats += 1;
      judged.repeatsRight += isSame && saysSo && isInOrder ? 1 : 0;
    } else {
      first.set(id, one);
      latest.set(sessionOf.get(id), id);
    }
  }

  return judged;
};

/** Compares journals with the database and with what an endpoint got, once all of it has had its time. */
export const compareTold = async (
  system: System,
  endpoint: Endpoint,
  folders: readonly { readonly folder: string; readonly sessionId: string }[],
): Promise<Told> => {
  const journals = await Promise.all(
    folders.map(async ({ folder, sessionId }) => ({ sessionId, events: (await readJournal(folder)).events })),
  );
  const lastIds = new Set(journals.map(({ events }) => events.at(-1)?.id ?? ''));
  const stored = await storedEvents(system, lastIds);
  await waitFor(
    () => [...lastIds].every((id) => endpoint.received.some(({ body }) => body.id === id)) || undefined,
    {
      deadlineMs: withinMs,
      everyMs: 500,
      describe: 'not everything was delivered',
    },
  ).catch(() => undefined);
  const deliveredIds = endpoint.received.map(({ body }) => body.id);
  const firstDelivered = [...new Set(deliveredIds)];
  const told = { journalled: 0, stored: 0, deliverable: 0, delivered: 0 };
  for (const { events } of journals) {
    const own = new Set(events.map(({ id }) => id));
    const ids = [...own];
    const publicIds = events.flatMap(({ id, type }) => (isPublic.has(type) ? [id] : []));
    told.journalled += ids.length;
    told.stored += inOrder(
      ids,
      stored.flatMap(({ id }) => (own.has(id) ? [id] : [])),
    );
    told.deliverable += publicIds.length;
    told.delivered += inOrder(
      publicIds,
      firstDelivered.filter((id) => own.has(id)),
    );
  }

  const sessionOf = new Map(
    journals.flatMap(({ sessionId, events }) => events.map(({ id }) => [id, sessionId])),
  );
  const ours = endpoint.received.filter(({ body }) => sessionOf.has(body.id));

  return { ...told, ...judgeRepeats(ours, sessionOf) };
};
