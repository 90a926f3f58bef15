import { withCodec } from './core/tracks.ts';
import type { LiveSession } from './live-session.ts';
import type { RecorderEvent } from './media/types.ts';

/** Another codec is used on a track than before, or than was agreed on first: the session says so while it runs. */
export const speakCodec = async (
  session: LiveSession,
  { trackNumber, codec, at }: Extract<RecorderEvent, { kind: 'codec' }>,
): Promise<void> => {
  if (session.isOver || !session.record) return;
  await session.describe('media', ({ tracks }) => ({
    tracks: tracks.map((track) =>
      track.trackNumber === trackNumber ? withCodec(track, { ...codec, name: codec.codec }, at) : track,
    ),
  }));
};
