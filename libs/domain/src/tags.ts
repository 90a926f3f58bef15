import type { SystemTag, SystemTagName } from '@reelstream/events';

/** Tags of ours that contradict each other: the last of the two holds. Before the first, the second of each does. */
const opposites = [
  ['Pause', 'Resume'],
  ['TrackInactive', 'TrackActive'],
] as const satisfies readonly (readonly [SystemTagName, SystemTagName])[];

/** A controller that toggles for hours must not make events that nothing can carry. Pausing always works. */
const mostTrackTags = 1_000;

/** The last of such a pair on this track, or on the whole session. */
const lastOf = (
  tags: readonly SystemTag[],
  pair: readonly SystemTagName[],
  trackNumber: number | undefined,
): SystemTag | undefined =>
  tags.findLast((tag) => tag.trackNumber === trackNumber && pair.some((name) => name === tag.name));

/** Whether a tag of ours says anything new: a paused session is not paused again, nor a running one resumed. */
export const mayTag = (
  tags: readonly SystemTag[],
  name: SystemTagName,
  trackNumber: number | undefined,
): boolean => {
  if (trackNumber !== undefined && tags.length >= mostTrackTags) return false;
  const pair = opposites.find(([off, on]) => name === off || name === on);

  return !pair || name !== (lastOf(tags, pair, trackNumber)?.name ?? pair[1]);
};

/** A stretch of the session's timeline; without an end: nobody knows when, or whether, it ended. */
export type Pause = { readonly fromMs: number; readonly toMs?: number };

/** When nothing of the session's media was to be kept. `endMs`: when the session ended, where that is known. */
export const pausesOf = (tags: readonly SystemTag[], endMs: number | undefined): readonly Pause[] => {
  const pauses: Pause[] = [];
  for (const { name, offsetMs, trackNumber } of tags) {
    const open = pauses.at(-1);
    if (trackNumber !== undefined) continue;
    if (name === 'Pause') pauses.push({ fromMs: offsetMs });
    else if (name === 'Resume' && open) pauses[pauses.length - 1] = { ...open, toMs: offsetMs };
  }

  return pauses.map((pause) => (endMs === undefined ? pause : { toMs: endMs, ...pause }));
};

/** Whether nothing of the session's media is to be kept just now. */
export const isPaused = (tags: readonly SystemTag[]): boolean =>
  lastOf(tags, opposites[0], undefined)?.name === 'Pause';
