import { join } from 'node:path';
import type { PublicSession } from '@reelstream/events';
import { isRemoved, isThere, manifestFile, recordingFolder, rtpdumpFile } from '@reelstream/recording';
import type { System } from '../../support/system.ts';

/** What became of recordings that retention has looked after. */
export type Prunes = {
  /** Sessions whose removal was told; those told more than once. */
  readonly pruned: number;
  readonly toldAgain: number;
  /** Whose media is gone from its folder, and whose metadata is all there. */
  readonly rightlyPruned: number;
  /** Pruned after one that ended later; kept, though it ended before one that was pruned. */
  readonly outOfOrder: number;
  readonly passedOver: number;
  /** Of those under legal hold: whose media is there, and was not pruned. */
  readonly heldKept: number;
};

const endOf = ({ endedAt }: PublicSession): number => Date.parse(endedAt ?? '');

/** `removed` is as it was told, in its order. */
export const judgePrunes = async (
  system: System,
  {
    sealed,
    removed,
    heldIds,
  }: {
    readonly sealed: readonly PublicSession[];
    readonly removed: readonly PublicSession[];
    readonly heldIds: readonly string[];
  },
): Promise<Prunes> => {
  const folderOf = (sessionId: string): string =>
    join(system.dataDir, 'recordings', recordingFolder(sessionId));
  const shown = (sessionId: string): Promise<PublicSession> =>
    system.json<PublicSession>(`/sessions/${sessionId}`);
  const prunedIds = new Set(removed.map(({ sessionId }) => sessionId));
  const lastEnd = Math.max(...removed.map(endOf));
  const isRight = async (sessionId: string): Promise<boolean> => {
    const { state, tracks, recording, recordingRemovedAt } = await shown(sessionId);
    const folder = folderOf(sessionId);
    const isGone = (await isRemoved(folder)) && !(await isThere(join(folder, rtpdumpFile(0))));
    const isKnown = state === 'CLOSED_NORMAL' && tracks.length === 1;

    return isGone && isKnown && recording === undefined && recordingRemovedAt !== undefined;
  };
  const isKept = async (sessionId: string): Promise<boolean> => {
    const { recording } = await shown(sessionId);
    const isWhole = await isThere(join(folderOf(sessionId), manifestFile));

    return isWhole && recording !== undefined && !prunedIds.has(sessionId);
  };
  const count = async (ids: Iterable<string>, is: (id: string) => Promise<boolean>): Promise<number> =>
    (await Promise.all([...ids].map(is))).filter(Boolean).length;
  const isPassedOver = (session: PublicSession): boolean =>
    !prunedIds.has(session.sessionId) && !heldIds.includes(session.sessionId) && endOf(session) < lastEnd;

  return {
    pruned: prunedIds.size,
    toldAgain: removed.length - prunedIds.size,
    rightlyPruned: await count(prunedIds, isRight),
    outOfOrder: removed.filter((session, at) => at > 0 && endOf(session) < endOf(removed[at - 1]!)).length,
    passedOver: sealed.filter(isPassedOver).length,
    heldKept: await count(heldIds, isKept),
  };
};
