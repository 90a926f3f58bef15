import type { StreamInfo } from '@reelstream/bus';

/** Why a stream can't go on after a position. */
export type Loss = 'tail-lost' | 'id-mismatch' | 'gap';

type Read = {
  readonly sequence: number;
  readonly anchor: { readonly sequence: number; readonly id: string } | undefined;
};

/**
 * Compares a position with the stream as it is now; `idAtAnchor` is what the stream holds where we have read our last
 * event. Undefined: reading can go on.
 */
export const findLoss = (
  { sequence, anchor }: Read,
  stream: Pick<StreamInfo, 'firstSequence' | 'lastSequence'>,
  idAtAnchor: string | undefined,
): Loss | undefined => {
  if (stream.lastSequence < sequence) return 'tail-lost';
  if (anchor && anchor.sequence >= stream.firstSequence && idAtAnchor !== anchor.id) return 'id-mismatch';
  if (stream.firstSequence > sequence + 1) return 'gap';

  return undefined;
};
