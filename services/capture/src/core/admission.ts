import { refusesCalls } from '@reelstream/domain';
import type { RetentionMode, StorageLevel } from '@reelstream/events';
import type { ProtectionRefusal } from '@reelstream/sip';

export type Admission = {
  readonly draining: boolean;
  readonly storage: StorageLevel;
  readonly retention: RetentionMode;
  /** Streams in use, streams there are places for, and streams the call would take. */
  readonly load: number;
  readonly capacity: number;
  readonly weight: number;
};

/** Stable words for the `attempt.refused` event. */
export type RefusalCause = 'draining' | 'storage' | 'no-capacity' | 'bad-offer' | ProtectionRefusal;

/** Why a call can't be taken now, or undefined if it can. Reservations don't count here: who comes is recorded. */
export const obstacleTo = ({
  draining,
  storage,
  retention,
  load,
  capacity,
  weight,
}: Admission): RefusalCause | undefined => {
  if (draining) return 'draining';
  if (refusesCalls(storage, retention)) return 'storage';

  return load + weight > capacity ? 'no-capacity' : undefined;
};
