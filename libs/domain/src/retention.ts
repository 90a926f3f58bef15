import { isHeld, noAnnotations } from './annotations.ts';
import { obstacleToDeletion } from './deletion.ts';
import type { RetentionMode, StorageLevel } from '@reelstream/events';
import type { SessionRecord } from './session.ts';

/**
 * How long media is kept, the same on every node: `never` prunes nothing, `age` what is older than `days`, `space` the oldest
 * of a node whose disk is critical, `age-or-space` both ("new recording priority" of the reference system).
 */
export const retentionModes = [
  'never',
  'age',
  'space',
  'age-or-space',
] as const satisfies readonly RetentionMode[];

export type RetentionPolicy = {
  readonly mode: RetentionMode;
  /** Of 24 hours, since a session's end. */
  readonly days: number;
  /** Days after its media was pruned at which a session is deleted; 0: its metadata is kept. */
  readonly metadataDays: number;
};

/** A session whose media might go. */
export type PruneCandidate = Pick<
  SessionRecord,
  'sessionId' | 'endedAt' | 'recording' | 'removedAt' | 'annotations'
>;

const dayMs = 86_400_000;

/** Down to this use of its disk, in percent, a critical node is freed: a little below 85, where its level is over. */
export const freeDownToPercent = 84;

const isFor = (mode: RetentionMode, what: 'age' | 'space'): boolean =>
  mode === what || mode === 'age-or-space';

/**
 * Whether a node whose disk is at this level takes no calls. Where it is freed of its oldest media new recordings come first, and it goes
 * on while it is being freed; where that is kept, it keeps the rest of its room for what runs.
 */
export const refusesCalls = (level: StorageLevel, mode: RetentionMode): boolean =>
  level === 'EMERGENCY' || (level === 'CRITICAL' && !isFor(mode, 'space'));

/** Whether what runs is ended at this level, while there is room to seal it: where nothing old is going to make room for it. */
export const endsRecordings = (level: StorageLevel, mode: RetentionMode): boolean =>
  level === 'EMERGENCY' && !isFor(mode, 'space');

/** Media of sessions that ended before this has reached its age; ms since 1970, undefined where age doesn't count. */
export const pruneBefore = ({ mode, days }: RetentionPolicy, nowMs: number): number | undefined =>
  isFor(mode, 'age') ? nowMs - days * dayMs : undefined;

/** Bytes that a node has to be freed of. An unknown size of its disk counts as endless: the caller goes by small steps. */
export const bytesToFree = (
  { mode }: RetentionPolicy,
  storage: { readonly level: string; readonly usedPercent: number; readonly totalBytes?: number } | undefined,
): number => {
  const isCritical = storage?.level === 'CRITICAL' || storage?.level === 'EMERGENCY';
  if (!storage || !isCritical || !isFor(mode, 'space')) return 0;
  const excess = Math.max(0, storage.usedPercent - freeDownToPercent) / 100;

  return excess === 0 ? 0 : excess * (storage.totalBytes ?? Infinity);
};

/** Whether retention may take a session's media: it is there, whole, over, and nobody holds or has deleted it. */
export const mayPrune = (record: PruneCandidate): boolean =>
  obstacleToDeletion(record) === undefined &&
  record.recording !== undefined &&
  record.removedAt === undefined &&
  record.annotations?.deletedAt === undefined;

const endOf = ({ endedAt }: PruneCandidate): number => Date.parse(endedAt ?? '');

/**
 * Which sessions of one node lose their media now, oldest first: those that ended before `beforeMs`, and as many more as free
 * `bytes`. Whatever space needs, what is held or runs stays.
 */
export const chooseToPrune = (
  sessions: readonly PruneCandidate[],
  { beforeMs, bytes }: { readonly beforeMs: number | undefined; readonly bytes: number },
): readonly string[] => {
  const chosen: string[] = [];
  let freed = 0;
  for (const session of sessions.filter(mayPrune).toSorted((a, b) => endOf(a) - endOf(b))) {
    const isOld = beforeMs !== undefined && endOf(session) < beforeMs;
    if (!isOld && freed >= bytes) break;
    freed += session.recording?.sizeBytes ?? 0;
    chosen.push(session.sessionId);
  }

  return chosen;
};

/** Sessions whose media was pruned before this are deleted; ms since 1970, undefined where metadata is kept. */
export const deleteBefore = ({ mode, metadataDays }: RetentionPolicy, nowMs: number): number | undefined =>
  mode === 'never' || metadataDays === 0 ? undefined : nowMs - metadataDays * dayMs;

/** Whether retention deletes a session whose media it has pruned. */
export const mayForget = (
  { endedAt, removedAt, annotations = noAnnotations }: PruneCandidate,
  beforeMs: number,
): boolean =>
  endedAt !== undefined &&
  removedAt !== undefined &&
  Date.parse(removedAt) < beforeMs &&
  annotations.deletedAt === undefined &&
  !isHeld(annotations);
