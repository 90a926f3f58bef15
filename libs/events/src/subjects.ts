import { familyOf } from './catalogue.ts';
import type { EventType, Family } from './catalogue.ts';

/** The one stream, and what it takes. */
export const eventsStream = 'EVENTS';
export const eventsSubjects = ['ev.>'] as const;

/** `ev.<family>.<key>`: subjects carry the family and the key, never the type. */
export const eventSubject = (type: EventType, key: string): string => `ev.${familyOf(type)}.${key}`;

export const familySubject = (family: Family, key: string): string => `ev.${family}.${key}`;

/** Plain messages and requests beside the stream. */
export const heartbeatSubject = (nodeId: string): string => `hb.${nodeId}`;
export const heartbeatWildcard = 'hb.*';
export const reservationSubject = (home: string): string => `reserve.${home}`;
export const reservationWildcard = 'reserve.*';
/** The home that a subject of `reservationSubject` names. */
export const reservationHome = (subject: string): string => subject.slice(reservationSubject('').length);
export const claimWildcard = 'claim.*';
export const claimSubject = (home: string): string => `claim.${home}`;
export const positionSubject = (server: string): string => `position.${server}`;
export const positionWildcard = 'position.*';
export const commandSubject = (nodeId: string): string => `cmd.${nodeId}`;
export const querySubject = (nodeId: string): string => `query.${nodeId}`;
