import { isPaused } from '@reelstream/domain';
import type { CaptureNode } from './capture-node.ts';
import type { LiveSession } from './live-session.ts';

/** Stops keeping media, then says so: what must not be kept is not, even if that can't be said. False where it is over. */
export const pauseSession = async (
  { recorder }: Pick<CaptureNode, 'recorder'>,
  session: LiveSession,
): Promise<boolean> => {
  const before = isPaused(session.record?.tags ?? []);
  await recorder.pause(session.sessionId, true);
  try {
    await session.tag('Pause');
  } catch (error) {
    if (!before) await recorder.pause(session.sessionId, false);
    throw error;
  }

  return !session.isOver;
};

/** Says that media is kept again, then keeps it. False where it is over. */
export const unpauseSession = async (
  { recorder }: Pick<CaptureNode, 'recorder'>,
  session: LiveSession,
): Promise<boolean> => {
  await session.tag('Resume');
  await recorder.pause(session.sessionId, false);

  return !session.isOver;
};
