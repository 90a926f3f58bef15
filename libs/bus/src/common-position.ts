import type { EventLog } from './types.ts';

export type CommonPositionOptions = {
  /** Id of the event that the database read at `sequence` of this stream; undefined if it knows none there. */
  readonly stored: (sequence: number) => Promise<string | undefined>;
  readonly log: Pick<EventLog, 'at' | 'info'>;
  /** The database's position. */
  readonly from: number;
};

/**
 * Finds the last sequence up to which database and stream hold the same events, for a stream that was put back to an
 * older store. Both agree on a prefix and on nothing after it, so steps back double until they agree, then halve. With
 * nothing in common it is the sequence before the stream's first: everything the stream holds is news.
 */
export const findCommonPosition = async (options: CommonPositionOptions): Promise<number> => {
  const { stored, log, from } = options;
  const { firstSequence, lastSequence } = await log.info();
  const floor = Math.max(0, firstSequence - 1);

  /** The nearest sequence at or below `sequence`, above `low`, where both can be compared; and whether they agree. */
  const compare = async (
    sequence: number,
    low: number,
  ): Promise<{ at: number; agree: boolean } | undefined> => {
    for (let at = sequence; at > low; at -= 1) {
      const id = await stored(at);
      const held = id === undefined ? undefined : await log.at(at);
      if (held) return { at, agree: held.raw.id === id };
    }

    return undefined;
  };

  let common = floor;
  let differs = Math.min(from, lastSequence) + 1;
  for (let step = 1; differs - 1 > floor; step *= 2) {
    const seen = await compare(Math.max(floor + 1, differs - step), floor);
    if (!seen) break;
    if (seen.agree) {
      common = seen.at;
      break;
    }
    differs = seen.at;
  }
  while (differs - common > 1) {
    const seen = await compare(common + Math.floor((differs - common) / 2), common);
    if (seen?.agree) common = seen.at;
    else differs = seen?.at ?? common + Math.floor((differs - common) / 2);
  }

  return common;
};
