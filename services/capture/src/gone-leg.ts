import { weightOf } from '@reelstream/domain';
import type { CaptureNode } from './capture-node.ts';
import { closedTrack } from './core/tracks.ts';
import type { Leg } from './leg.ts';
import type { LiveSession } from './live-session.ts';
import type { TrackFigures } from './media/types.ts';

/** The dialogs of a call that ends are ended one after the other: that is none that goes on with fewer of them. */
const lastDialogsWithinMs = 1_000;

/**
 * A dialog has gone and its session goes on: its tracks have ended, and their ports are free again. `keep` gets what came of
 * them.
 */
export const goOnWithout = (
  node: CaptureNode,
  session: LiveSession,
  leg: Leg,
  keep: (figures: readonly TrackFigures[]) => void,
): void => {
  const leftAt = new Date().toISOString();
  const close = setTimeout(() => {
    if (session.isOver) return;
    closeTracks(node, session, { leg, leftAt, keep }).catch((error: unknown) =>
      node.log.error({ error, sessionId: session.sessionId }, 'tracks of a dialog that has gone stay open'),
    );
  }, lastDialogsWithinMs);
  close.unref();
  session.onOver(() => clearTimeout(close));
};

const closeTracks = async (
  { recorder, status }: CaptureNode,
  session: LiveSession,
  gone: {
    readonly leg: Leg;
    readonly leftAt: string;
    readonly keep: (figures: readonly TrackFigures[]) => void;
  },
): Promise<void> => {
  const { lines } = gone.leg;
  const numbers = lines.map(({ trackNumber }) => trackNumber);
  gone.keep(await recorder.release(session.sessionId, numbers));
  status.shrink(session.sessionId, weightOf(lines.map(({ kind }) => kind)));
  await session.describe('dialog', ({ tracks }) => ({
    tracks: tracks.map((track) =>
      numbers.includes(track.trackNumber) ? closedTrack(track, gone.leftAt) : track,
    ),
  }));
};
