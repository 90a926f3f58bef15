import type { CaptureNode } from './capture-node.ts';
import { withCodec, withEncryption } from './core/tracks.ts';
import type { LiveSession } from './live-session.ts';
import type { RecorderEvent } from './media/types.ts';

type Heard<K extends RecorderEvent['kind']> = Extract<RecorderEvent, { readonly kind: K }>;

/** What the recorder tells of its own accord becomes part of the session, or of the node's state. Never throws. */
export const hearRecorder = (
  { sessions, status, meters, log }: Pick<CaptureNode, 'sessions' | 'status' | 'meters' | 'log'>,
  event: RecorderEvent,
): void => {
  const noted = (what: string, noting: Promise<unknown> | undefined): void =>
    void noting?.catch((error: unknown) => {
      const { kind, sessionId } = { sessionId: undefined, ...event };
      log.error({ error, kind, sessionId }, `${what} could not be journalled`);
    });
  switch (event.kind) {
    case 'seals':
      return log.info({ processor: event.processor, disk: event.disk }, 'priority of sealing and removing');
    case 'media':
      return noted('first packet', hearMedia(sessions.get(event.sessionId), event));
    case 'rollovers':
      return noted(
        'rollover counters',
        sessions.get(event.sessionId)?.keys.stands(event.trackNumber, event.rollovers),
      );
    case 'keys':
      return noted('the keys of a handshake', hearKeys(sessions.get(event.sessionId), event));
    case 'handshake-failed':
      meters.count('dtls.failed', event.reason);

      return log.warn({ ...event }, 'a DTLS handshake failed');
    case 'codec':
      return noted('a codec', hearCodec(sessions.get(event.sessionId), event));
    case 'write-failed':
      log.error({ ...event }, 'media can not be written');

      return status.writeFailure(`worker ${event.worker}`, event.detail);
    case 'write-resumed':
      log.info({}, 'media can be written again');

      return status.writeFailure(`worker ${event.worker}`, undefined);
    case 'write-given-up':
      log.error({ ...event }, 'media could not be written for too long: its sessions end');
      for (const sessionId of event.sessions) void sessions.get(sessionId)?.stop('storage');

      return undefined;
    case 'worker-lost':
      log.error({ ...event }, 'a receiving thread died');
      for (const sessionId of event.sessions) void sessions.get(sessionId)?.stop('interrupted');
  }
};

/** The first packet of a track. One that comes before the 200 is told at the end only. */
const hearMedia = async (
  session: LiveSession | undefined,
  { trackNumber, at }: Heard<'media'>,
): Promise<void> => {
  if (!session?.record) return;
  await session.execute((stamp) => ({ type: 'media', stamp, trackNumber, firstPacketAt: at }));
};

/** The keys of a track have come by a handshake: a later life of the node must have them, too. */
const hearKeys = async (
  session: LiveSession | undefined,
  { trackNumber, id, keys }: Heard<'keys'>,
): Promise<void> => {
  const { encryption, lines } = session?.legOf(trackNumber) ?? {};
  const line = lines?.find((one) => one.trackNumber === trackNumber);
  if (!session || !line || !encryption?.shaken(line.index, id, keys)) return;
  const name = encryption.nameAt(line.index);
  // What comes before the 200 is told with it; what comes with the BYE has its turn before the end.
  const told = session.record
    ? session.describe('media', ({ tracks }) => ({
        tracks: tracks.map((track) =>
          track.trackNumber === trackNumber ? withEncryption(track, name) : track,
        ),
      }))
    : undefined;
  await Promise.all([session.keys.agreed({ [trackNumber]: keys }), told]);
  void session.jot();
};

/** Another codec is used on a track than before, or than was agreed on first: the session says so while it runs. */
const hearCodec = async (
  session: LiveSession | undefined,
  { trackNumber, codec, at }: Heard<'codec'>,
): Promise<void> => {
  if (!session?.record || session.isOver) return;
  await session.describe('media', ({ tracks }) => ({
    tracks: tracks.map((track) =>
      track.trackNumber === trackNumber ? withCodec(track, { ...codec, name: codec.codec }, at) : track,
    ),
  }));
};
