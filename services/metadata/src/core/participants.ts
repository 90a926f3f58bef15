import type { SessionRecord } from '@reelstream/domain';

/** Longest key kept: an index entry has room for little more. */
const longestKey = 256;

/** What a participant is looked up by: as one would type it, whatever its case. */
export const participantKey = (text: string): string =>
  text.trim().toWellFormed().replaceAll('\0', '').toLowerCase().slice(0, longestKey);

/** The user part of a SIP or tel URI. */
const userOf = (address: string): string | undefined => /^(?:sips?|tel):([^@;>]+)/i.exec(address)?.[1];

/**
 * Everything the participants of a session can be found by: address, its user part, name, device, call leg; that of the
 * phone that forks, too, where only what it hears is recorded.
 */
export const participantKeys = (record: SessionRecord): string[] => {
  const words = record.tracks.flatMap(({ participants }) =>
    participants.flatMap(({ address, name, deviceId, xRefCi }) => [
      address,
      address === undefined ? undefined : userOf(address),
      name,
      deviceId,
      xRefCi,
    ]),
  );
  const keys = [...words, record.correlation.xRefCi].flatMap((word) =>
    word === undefined ? [] : [participantKey(word)],
  );

  return [...new Set(keys)].filter((key) => key !== '').toSorted();
};
