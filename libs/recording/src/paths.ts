import { SessionIdError } from './errors.ts';

const uuid7 = /^([0-9a-f]{8})-([0-9a-f]{4})-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/i;

/** Names inside a recording folder. */
export const journalFile = 'journal.ndjson';
export const manifestFile = 'manifest.json';
/** There once the media is gone, or going. */
export const removedFile = 'removed.json';
export const bodiesFolder = 'bodies';
export const rtpdumpFile = (trackNumber: number): string => `track-${trackNumber}.rtpdump`;
export const indexFile = (trackNumber: number): string => `track-${trackNumber}.index`;

/**
 * `yyyy/mm/dd/<sessionId>`, relative to the recordings folder. The UTC date is the one inside the UUIDv7 (RFC 9562
 * §5.7), so that a folder is found from the id alone. Throws SessionIdError.
 */
export const recordingFolder = (sessionId: string): string => {
  const match = uuid7.exec(sessionId);
  if (!match) throw new SessionIdError(`${JSON.stringify(sessionId.slice(0, 64))} is not a UUIDv7`);
  const day = new Date(Number.parseInt(`${match[1]}${match[2]}`, 16)).toISOString().slice(0, 10);

  // Years past 9999 print as +yyyyyy: an id from then is no id of ours.
  if (!/^\d{4}-/.test(day)) throw new SessionIdError(`${sessionId} lies past the year 9999`);

  return `${day.replaceAll('-', '/')}/${sessionId.toLowerCase()}`;
};
