import type { EndReason } from '@reelstream/events';
import type { DialogEnd } from '@reelstream/sip';

/** Why a session ended, by how its last dialog did. */
export const reasonOf: Readonly<Record<DialogEnd['cause'], EndReason>> = {
  bye: 'bye',
  'ack-timeout': 'ack-timeout',
  'session-expired': 'session-expired',
  'peer-gone': 'media-timeout',
  cancelled: 'stopped',
  other: 'stopped',
};
