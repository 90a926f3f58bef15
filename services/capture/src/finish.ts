import { recordingFolder } from '@reelstream/recording';
import type { Manifest } from '@reelstream/recording';
import type { Command, Stamp } from './core/decide.ts';
import { sealedMedia } from './core/sealing.ts';

/** The command that follows from a sealed folder. */
export const sealedBy =
  (manifest: Manifest) =>
  (stamp: Stamp): Command => ({
    type: 'seal',
    stamp,
    recording: sealedMedia(manifest, recordingFolder(manifest.sessionId)),
  });

/** The command that ends a session with what its media came to. */
export const endedBy =
  (end: Omit<Extract<Command, { type: 'end' }>, 'type' | 'stamp'>) =>
  (stamp: Stamp): Command => ({ type: 'end', stamp, ...end });
