import { freshId, mintEvent } from '@reelstream/events';
import type { DomainEvent, Participant } from '@reelstream/events';

export type StoryOptions = {
  readonly sessionId?: string;
  readonly origin?: string;
  readonly epoch?: number;
  readonly home?: string;
  readonly host?: string;
  readonly startedAt?: string;
  readonly participant?: Omit<Participant, 'joinedAt'>;
};

/** The whole life of one recorded call, as its home tells it: started, updated, ended, sealed; versions 1 to 4. */
export const storyOf = (options: StoryOptions = {}) => {
  const {
    sessionId = freshId(),
    origin = 'primary',
    epoch = 1,
    home = 'capture-1',
    host = 'box',
    startedAt = '2026-11-23T07:00:00.000Z',
    participant = { address: 'sip:7301@192.0.2.10', name: 'Agent' },
  } = options;
  const fact = (version: number) => ({
    ...{ id: freshId(), time: startedAt, source: `/local/${home}`, subject: sessionId },
    ...{ origin, version, epoch },
  });
  const track = {
    ...{ trackNumber: 0, mediaType: 'audio' as const, codec: 'PCMU', codecs: [], startedAt },
    participants: [{ ...participant, joinedAt: startedAt }],
  };
  const description = {
    controller: { type: 'siprec' as const, address: '192.0.2.10' },
    dialogs: [],
    correlation: {},
    tracks: [track],
  };
  const started = mintEvent({
    type: 'session.started',
    ...fact(1),
    data: { sessionId, startedAt, clusterId: 'local', home, host, ...description },
  });
  const updated = mintEvent({
    type: 'session.updated',
    ...fact(2),
    data: {
      ...{ sessionId, reason: 'media' as const, ...description },
      tracks: [{ ...track, firstPacketAt: startedAt }],
    },
  });
  const ended = mintEvent({
    type: 'session.ended',
    ...fact(3),
    data: {
      ...{ sessionId, state: 'CLOSED_NORMAL' as const, endReason: 'bye' as const },
      ...{ endedAt: startedAt, durationMs: 1_000, ...description },
      tracks: [{ ...track, firstPacketAt: startedAt, durationMs: 1_000, packets: 50, lost: 0 }],
    },
  });
  const sha256 = 'a'.repeat(64);
  const sealed = mintEvent({
    type: 'recording.sealed',
    ...fact(4),
    data: {
      ...{ sessionId, sealedAt: startedAt, home, host, folder: `2026/11/23/${sessionId}`, sizeBytes: 10 },
      files: [{ name: 'track-0.rtpdump', trackNumber: 0, sizeBytes: 10, sha256 }],
      ...{ gaps: [], encryption: 'none' as const },
    },
  });
  const events: readonly DomainEvent[] = [started, updated, ended, sealed];

  return { sessionId, started, updated, ended, sealed, events };
};
