import { publicSession } from '@reelstream/domain';
import type { SessionRecord } from '@reelstream/domain';
import { publicTypes } from '@reelstream/events';
import type { DomainEvent, PublicType, WebhookBody } from '@reelstream/events';

const isPublic = (type: string): type is PublicType => publicTypes.some((known) => known === type);

/** What an integrator is told of an event, but for the number that each subscription counts for itself. */
export type Announcement = Omit<WebhookBody, 'sequence'>;

/**
 * The announcement of an event, with the state as of it: `record` is the session after it. Undefined for events that
 * integrators are not told of.
 */
export const announce = (
  event: DomainEvent,
  record: SessionRecord | undefined,
  { server, position }: { readonly server: string; readonly position: string },
): Announcement | undefined => {
  const { id, type, time, origin } = event;
  if (!isPublic(type)) return undefined;

  return {
    id,
    type,
    time,
    position,
    origin,
    forwarded: false,
    committedOn: [server],
    data: dataOf(event, record),
  };
};

/** What is said of a tag, with the session it is on; of a session, the session; else the fact itself. */
const dataOf = (event: DomainEvent, record: SessionRecord | undefined): unknown => {
  if (!record) return event.data;
  const session = publicSession(record);

  return event.type === 'tag.added' || event.type === 'tag.removed' ? { ...event.data, session } : session;
};

/** The final text of a delivery's body. */
export const formatBody = (announcement: Announcement, sequence: number): string => {
  const { id, type, time, ...rest } = announcement;
  const body: WebhookBody = { id, type, time, sequence, ...rest };

  return JSON.stringify(body);
};
