import { eventsStream, understand } from '@reelstream/events';
import type { RawEvent } from '@reelstream/events';
import { JetStreamApiCodes, JetStreamApiError } from '@nats-io/jetstream';
import type { JetStreamManager, StoredMsg } from '@nats-io/jetstream';
import type { Place } from './core/append.ts';
import type { InvalidMessage, StreamedEvent } from './types.ts';

type Message = { readonly sequence: number; readonly subject: string; readonly data: Uint8Array };

/** What a message of the stream is: an event (of a known type or not), or no valid event, with the reason. */
export const readMessage = (
  message: Message,
): { readonly streamed: StreamedEvent } | { readonly invalid: InvalidMessage } => {
  const { sequence, subject, data } = message;
  const text = new TextDecoder().decode(data);
  const refused = (reason: string) => ({ invalid: { sequence, subject, text, reason } });
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return refused('not JSON');
  }
  const understood = understand(value);
  switch (understood.status) {
    case 'known':
      return { streamed: { sequence, subject, raw: value as RawEvent, event: understood.event } };
    case 'unknown':
      return { streamed: { sequence, subject, raw: understood.raw, event: undefined } };
    case 'invalid':
      return refused(understood.reason);
  }
};

/** The leader is asked, never a replica: an answer that lags would look like a loss. */
const stored = async (
  manager: JetStreamManager,
  query: { seq: number } | { last_by_subj: string } | { seq: number; next_by_subj: string },
): Promise<StoredMsg | undefined> => {
  try {
    return (await manager.streams.getMessage(eventsStream, query)) ?? undefined;
  } catch (error) {
    if (error instanceof JetStreamApiError && error.code === JetStreamApiCodes.NoMessageFound)
      return undefined;
    throw error;
  }
};

const eventIn = (message: StoredMsg): StreamedEvent | undefined => {
  const read = readMessage({ sequence: message.seq, subject: message.subject, data: message.data });

  return 'streamed' in read ? read.streamed : undefined;
};

export const eventAt = async (
  manager: JetStreamManager,
  sequence: number,
): Promise<StreamedEvent | undefined> => {
  const message = await stored(manager, { seq: sequence });

  return message && eventIn(message);
};

/** Every event on a subject, in the order of the stream. */
export const eventsOn = async (
  manager: JetStreamManager,
  subject: string,
): Promise<readonly StreamedEvent[]> => {
  const events: StreamedEvent[] = [];
  for (let seq = 1; ;) {
    const message = await stored(manager, { seq, next_by_subj: subject });
    if (!message) return events;
    const event = eventIn(message);
    if (event) events.push(event);
    seq = message.seq + 1;
  }
};

/** Where a message stands in its writer's journal, however broken its data. Without that it is before all others. */
const placeOf = (message: StoredMsg): Place => {
  const nowhere = { id: '', epoch: -1, version: 0 };
  try {
    const { id, epoch, version } = message.json<Partial<Record<keyof Place, unknown>>>();
    if (typeof id === 'string' && typeof epoch === 'number' && typeof version === 'number')
      return { id, epoch, version };
  } catch {
    return nowhere;
  }

  return nowhere;
};

/** The last message of a subject. */
export const lastOf = async (
  manager: JetStreamManager,
  subject: string,
): Promise<{ readonly sequence: number; readonly place: Place } | undefined> => {
  const message = await stored(manager, { last_by_subj: subject });

  return message && { sequence: message.seq, place: placeOf(message) };
};
