import type { CaptureNode } from './capture-node.ts';
import type { Leg } from './leg.ts';
import type { LiveSession } from './live-session.ts';

/**
 * From here on the recorder knows what was agreed in the leg, and decrypts its tracks by the keys of it. Those are durable
 * then, so that a later life of the node can go on with them: to be called before the answer leaves.
 */
export const secureLeg = async (
  { recorder }: Pick<CaptureNode, 'recorder'>,
  { sessionId, keys }: Pick<LiveSession, 'sessionId' | 'keys'>,
  leg: Pick<Leg, 'agreed' | 'secured' | 'encryption'>,
): Promise<void> => {
  recorder.agree(sessionId, leg.agreed);
  if (!leg.encryption.isUsed) return;
  const tracks = leg.secured;
  await keys.agreed(
    Object.fromEntries(
      tracks.map((track) => [track.trackNumber, track.keys === 'awaited' ? undefined : track.keys]),
    ),
  );
  await recorder.secure(sessionId, tracks);
};
