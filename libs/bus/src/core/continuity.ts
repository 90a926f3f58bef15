import type { Loss } from '../errors.ts';

/** What was read last: its sequence, and the last event known by id at or before it. */
export type Cursor = {
  readonly after: number;
  readonly anchor: { readonly sequence: number; readonly id: string } | undefined;
};

/** What the stream holds now; `anchorId` is the id at the anchor's sequence, undefined if no event is there. */
export type Held = {
  readonly firstSequence: number;
  readonly lastSequence: number;
  readonly anchorId: string | undefined;
};

/** Why the stream can't go on after the cursor; undefined if it can. */
export const findLoss = (cursor: Cursor, held: Held): Loss | undefined => {
  if (held.lastSequence < cursor.after) return 'tail-lost';
  const { anchor } = cursor;
  if (anchor && anchor.sequence >= held.firstSequence && held.anchorId !== anchor.id) return 'id-mismatch';
  if (held.firstSequence > cursor.after + 1) return 'gap';

  return undefined;
};
