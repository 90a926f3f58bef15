import type { StorageLevel } from '@reelstream/events';

/** Percent of the disk in use at which a level begins, and below which it is over. */
const thresholds = [
  { level: 'EMERGENCY', enter: 99, exit: 97 },
  { level: 'CRITICAL', enter: 90, exit: 85 },
  { level: 'LOW', enter: 75, exit: 70 },
] as const;

const rank: Readonly<Record<StorageLevel, number>> = { NORMAL: 0, LOW: 1, CRITICAL: 2, EMERGENCY: 3 };

/** The level at this use of the disk, coming from the level before: each is left lower than it was entered. */
export const storageLevel = (previous: StorageLevel, usedPercent: number): StorageLevel =>
  thresholds.find(({ level, enter, exit }) => usedPercent >= (rank[previous] >= rank[level] ? exit : enter))
    ?.level ?? 'NORMAL';
