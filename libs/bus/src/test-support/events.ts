import { randomUUID } from 'node:crypto';
import { freshId, mintEvent } from '@reelstream/events';
import type { EventOf } from '@reelstream/events';

const at = '2026-11-23T07:00:00.000Z';

const envelope = (subject: string, version: number, epoch: number) => ({
  id: freshId(),
  time: at,
  source: '/test/capture-1',
  subject,
  origin: 'primary',
  version,
  epoch,
});

/** A fact of a session, for tests of the bus, which looks at its envelope only. */
export const sessionUpdated = (sessionId: string, version: number, epoch = 1): EventOf<'session.updated'> =>
  mintEvent({
    ...envelope(sessionId, version, epoch),
    type: 'session.updated',
    data: {
      sessionId,
      reason: 'metadata',
      controller: { type: 'siprec', address: '192.0.2.1' },
      dialogs: [],
      correlation: {},
      tracks: [],
    },
  });

export const recordingSealed = (sessionId: string, version: number, epoch = 1): EventOf<'recording.sealed'> =>
  mintEvent({
    ...envelope(sessionId, version, epoch),
    type: 'recording.sealed',
    data: {
      sessionId,
      sealedAt: at,
      home: 'capture-1',
      host: 'host',
      folder: sessionId,
      sizeBytes: 0,
      files: [],
      gaps: [],
      encryption: 'none',
    },
  });

/** A fact that any service may append. */
export const nodeStopped = (nodeId = `node-${randomUUID()}`): EventOf<'node.stopped'> =>
  mintEvent({
    ...envelope(nodeId, 1, 1),
    type: 'node.stopped',
    data: { nodeId, role: 'pilot', stoppedAt: at },
  });
