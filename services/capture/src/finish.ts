import type { EndReason } from '@reelstream/events';
import { recordingFolder } from '@reelstream/recording';
import type { Manifest } from '@reelstream/recording';
import type { Command, Stamp } from './core/decide.ts';
import { flagsOf, sealedMedia, totalsOf } from './core/sealing.ts';
import type { NegotiatedCodecs } from './core/sealing.ts';
import type { TrackFigures } from './media/types.ts';

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
  (end: {
    readonly endReason: EndReason;
    readonly durationMs: number;
    readonly figures: readonly TrackFigures[];
    readonly codecs: NegotiatedCodecs;
  }) =>
  (stamp: Stamp): Command => ({
    type: 'end',
    stamp,
    endReason: end.endReason,
    durationMs: end.durationMs,
    totals: totalsOf(end.figures, end.codecs),
    flags: flagsOf(end.figures),
  });
