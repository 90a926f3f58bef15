import { familyOf } from '@reelstream/events';
import type { DomainEvent, RawEvent } from '@reelstream/events';

/** An event on its way into the database: with its place in the stream, and understood as far as this version can. */
export type Incoming = {
  readonly sequence: number;
  readonly family: string;
  readonly raw: RawEvent;
  /** Undefined for a type or schema that this version doesn't know. */
  readonly event: DomainEvent | undefined;
};

/** Whether a session's home writes the events of a family. */
export const isHomeWritten = (family: string): boolean => family === 'session' || family === 'recording';

/** Whether the key of a family's subjects is a session's id. */
export const isOfSession = (family: string): boolean => isHomeWritten(family) || family === 'annotation';

/** As PostgreSQL writes it: ids are compared as text. */
const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Why an event can't be what its place says it is; undefined if it can. */
export const findMismatch = ({
  subject,
  raw,
  event,
}: {
  readonly subject: string;
  readonly raw: RawEvent;
  readonly event: DomainEvent | undefined;
}): string | undefined => {
  const [, family = '', key = ''] = subject.split('.');
  if (key !== raw.subject) return `subject: ${raw.subject} was stored on ${subject}`;
  if (raw.id !== raw.id.toLowerCase()) return `id: ${raw.id} is not in lower case`;
  if (isOfSession(family) && !uuid.test(key)) return `subject: ${key} is no id of a session`;
  if (Number.isNaN(Date.parse(raw.time))) return `time: ${raw.time} is none`;
  if (!event) return undefined;
  if (familyOf(event.type) !== family) return `family: ${event.type} was stored on ${subject}`;
  if ('sessionId' in event.data && isOfSession(family) && event.data.sessionId !== key)
    return `data: session ${event.data.sessionId} on the subject of ${key}`;

  return undefined;
};

/** The node that wrote an event: the last part of its source, `/<cluster>/<node>`. */
export const writerOf = (raw: RawEvent): string => raw.source.split('/').at(-1) ?? '';
