/** What orders the facts of a subject with one writer: the writer's life, then the place in its journal. */
export type Place = { readonly id: string; readonly epoch: number; readonly version: number };

export type Verdict = 'already-stored' | 'fenced' | 'retry';

/**
 * What a wrong last sequence means for an append, judged by the last message of the subject: at or past our own place
 * it is stored already; a higher epoch has taken the subject over; otherwise our hint was stale.
 */
export const judgeConflict = (own: Place, last: Place | undefined): Verdict => {
  if (!last) return 'retry';
  if (last.id === own.id) return 'already-stored';
  if (last.epoch > own.epoch) return 'fenced';

  return last.epoch === own.epoch && last.version >= own.version ? 'already-stored' : 'retry';
};
