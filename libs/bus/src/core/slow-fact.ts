import type { SlowFact } from '@reelstream/events';

/**
 * Whether `fact` was written from a later place in the stream than `other`. Generations are counted by each server for
 * itself: between two servers the sequence alone tells, for the stream is one.
 */
export const isNewerSlowFact = (fact: SlowFact, other: SlowFact | undefined): boolean => {
  if (!other) return true;
  if (fact.server === other.server && fact.generation !== other.generation)
    return fact.generation > other.generation;

  return fact.sequence > other.sequence;
};
