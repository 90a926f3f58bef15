import { isHeld, noAnnotations } from './annotations.ts';
import type { SessionRecord } from './session.ts';

/** Why a session can't be deleted, or its media taken away, by whomever. */
export type DeletionObstacle = 'running' | 'legal-hold';

/**
 * What forbids to delete a session or to take its media away; undefined where nothing does. For users and retention alike.
 * A session whose home is lost may go on: it counts as running until it has its end.
 */
export const obstacleToDeletion = (
  record: Pick<SessionRecord, 'endedAt' | 'annotations'>,
): DeletionObstacle | undefined => {
  if (isHeld(record.annotations ?? noAnnotations)) return 'legal-hold';

  return record.endedAt === undefined ? 'running' : undefined;
};
