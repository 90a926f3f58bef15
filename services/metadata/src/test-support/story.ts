import { freshId, mintEvent } from '@reelstream/events';
import type { DomainEvent, EventOf, Participant } from '@reelstream/events';

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
export type Story = {
  readonly sessionId: string;
  readonly started: EventOf<'session.started'>;
  readonly updated: EventOf<'session.updated'>;
  readonly ended: EventOf<'session.ended'>;
  readonly sealed: EventOf<'recording.sealed'>;
  readonly events: readonly DomainEvent[];
};

type Facts = Required<StoryOptions>;

const envelopeOf = ({ sessionId, origin, epoch, home, startedAt }: Facts, version: number) => ({
  id: freshId(),
  time: startedAt,
  source: `/local/${home}`,
  subject: sessionId,
  origin,
  version,
  epoch,
});

const trackOf = ({ startedAt, participant }: Facts) => ({
  trackNumber: 0,
  mediaType: 'audio' as const,
  codec: 'PCMU',
  codecs: [],
  startedAt,
  participants: [{ ...participant, joinedAt: startedAt }],
});

const descriptionOf = (facts: Facts) => ({
  controller: { type: 'siprec' as const, address: '192.0.2.10' },
  dialogs: [],
  correlation: {},
  tracks: [trackOf(facts)],
});

const start = (facts: Facts): EventOf<'session.started'> => {
  const { sessionId, startedAt, home, host } = facts;

  return mintEvent({
    type: 'session.started',
    ...envelopeOf(facts, 1),
    data: { sessionId, startedAt, clusterId: 'local', home, host, ...descriptionOf(facts) },
  });
};

const update = (facts: Facts): EventOf<'session.updated'> => {
  const tracks = [{ ...trackOf(facts), firstPacketAt: facts.startedAt }];

  return mintEvent({
    type: 'session.updated',
    ...envelopeOf(facts, 2),
    data: { sessionId: facts.sessionId, reason: 'media', ...descriptionOf(facts), tracks },
  });
};

const end = (facts: Facts): EventOf<'session.ended'> => {
  const { sessionId, startedAt: at } = facts;
  const tracks = [{ ...trackOf(facts), firstPacketAt: at, durationMs: 1_000, packets: 50, lost: 0 }];
  const outcome = { state: 'CLOSED_NORMAL', endReason: 'bye', endedAt: at, durationMs: 1_000 } as const;

  return mintEvent({
    type: 'session.ended',
    ...envelopeOf(facts, 3),
    data: { sessionId, ...outcome, ...descriptionOf(facts), tracks },
  });
};

const seal = (facts: Facts): EventOf<'recording.sealed'> => {
  const { sessionId, startedAt: sealedAt, home, host } = facts;
  const files = [{ name: 'track-0.rtpdump', trackNumber: 0, sizeBytes: 10, sha256: 'a'.repeat(64) }];

  return mintEvent({
    type: 'recording.sealed',
    ...envelopeOf(facts, 4),
    data: {
      sessionId,
      sealedAt,
      home,
      host,
      folder: 'f',
      sizeBytes: 10,
      files,
      gaps: [],
      encryption: 'none',
    },
  });
};

export const storyOf = (options: StoryOptions = {}): Story => {
  const facts: Facts = {
    sessionId: freshId(),
    origin: 'primary',
    epoch: 1,
    home: 'capture-1',
    host: 'box',
    startedAt: '2026-11-23T07:00:00.000Z',
    participant: { address: 'sip:7301@192.0.2.10', name: 'Agent' },
    ...options,
  };
  const told = { started: start(facts), updated: update(facts), ended: end(facts), sealed: seal(facts) };

  return { sessionId: facts.sessionId, ...told, events: Object.values(told) };
};
