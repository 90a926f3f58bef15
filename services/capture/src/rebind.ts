import { isPaused } from '@reelstream/domain';
import type { CaptureNode } from './capture-node.ts';
import { bitrateOf } from './media-terms.ts';
import type { LiveSession } from './live-session.ts';
import type { TrackRequest } from './media/types.ts';
import { keysOfNextLife } from './session-keys.ts';

/**
 * Gives a session of an earlier life its sockets back, with all that is known of what will come on them: it comes at once.
 * False where they can't be had.
 */
export const rebind = async (
  { recorder, config, log }: Pick<CaptureNode, 'recorder' | 'config' | 'log'>,
  session: LiveSession,
): Promise<boolean> => {
  const { sessionId, keys, record } = session;
  // Durable before anything of ours is sent: no index of SRTCP may be used twice.
  await keys.agreed(keysOfNextLife(keys.tracks));
  recorder.goOn(sessionId);
  if (isPaused(record?.tags ?? [])) await recorder.pause(sessionId, true);
  const allocation = await recorder.allocate(sessionId, tracksOf(session), config.host);
  if (!allocation.ok) log.error({ ...allocation, sessionId }, 'a session can not have its ports back');

  return allocation.ok;
};

const tracksOf = ({ legs, keys }: LiveSession): readonly TrackRequest[] =>
  [...legs].flatMap((leg) =>
    leg.lines
      .filter(({ port }) => port > 0)
      .map(({ trackNumber, kind, port, terms }) => {
        const secured = leg.secured.find((one) => one.trackNumber === trackNumber);
        const known = keys.tracks[trackNumber] ?? (secured?.keys === 'awaited' ? secured.keys : undefined);
        const agreed = leg.agreed.find((one) => one.trackNumber === trackNumber);

        return {
          trackNumber,
          mediaType: kind,
          rtpPort: port,
          ...bitrateOf(terms && { kind, bandwidth: terms.bandwidth }),
          ...(known && { keys: known }),
          ...(secured?.handshakes && { handshakes: secured.handshakes }),
          ...(agreed && { agreed }),
        };
      }),
  );
