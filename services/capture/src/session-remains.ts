import { derivedId } from '@reelstream/events';
import type { Track } from '@reelstream/events';
import type { JournalContents, Manifest } from '@reelstream/recording';
import { parseNameAddr, participantsByLabel, participantsInOrder } from '@reelstream/sip';
import type { PositionWatch } from './adapters/positions.ts';
import { tracksAfter } from './call.ts';
import type { CaptureNode } from './capture-node.ts';
import { originOf } from './core/origin.ts';
import type { Remains } from './core/rebuild.ts';
import { correlationOf } from './core/tracks.ts';
import type { LegState } from './leg-state.ts';
import { Leg } from './leg.ts';
import { readDialogs } from './session-notes.ts';

/** As far as it is told in a session's events. */
export type Home = Pick<CaptureNode, 'config' | 'writer'> & {
  readonly positions: Pick<PositionWatch, 'alive'>;
};

/** Its dialogs as they are noted; none where the notes can't be read. */
export const legsOf = (
  { config }: Pick<CaptureNode, 'config'>,
  { notes }: JournalContents,
): readonly LegState[] => {
  try {
    return readDialogs(notes, config.clusterKey).legs;
  } catch {
    return [];
  }
};

/** What notes and media tell of a session whose events don't. */
export const remainsOf = (
  node: Home,
  sessionId: string,
  contents: JournalContents,
  manifest: Manifest | undefined,
): Remains => {
  const { config, positions, writer } = node;
  const { clusterId, nodeId, hostId } = config;
  const legs = legsOf(node, contents);
  const [first] = legs;
  // The id says when it was given (RFC 9562 §5.7), which was just before the session began.
  const startedAt = new Date(Number.parseInt(sessionId.replaceAll('-', '').slice(0, 12), 16)).toISOString();
  const address = first?.info.remoteAddress.replace(/:\d+$/, '') ?? '0.0.0.0';
  const spoken = legs.reduce<readonly Track[]>((tracks, state) => withLeg(tracks, state, startedAt), []);
  const heard = (manifest?.tracks ?? []).filter(({ trackNumber }) =>
    spoken.every((track) => track.trackNumber !== trackNumber),
  );

  return {
    start: {
      sessionId,
      startedAt,
      clusterId,
      home: nodeId,
      host: hostId,
      controller: { type: first?.type ?? 'direct', address },
      dialogs: legs.map(({ info }) => info),
      correlation: first
        ? correlationOf({ ...unsaid, bib: first.bib?.opened, metadata: first.metadata })
        : {},
      tracks: [...spoken, ...heard.map((track) => trackOf(track, startedAt))],
    },
    origin: originOf(config.databaseServers, positions.alive()),
    source: writer.source,
    epoch: writer.epoch,
    idOf: (version) => derivedId('rebuilt', sessionId, String(version)),
  };
};

const unsaid = { ciscoGuid: undefined, sessionId: undefined };

const withLeg = (tracks: readonly Track[], state: LegState, now: string): readonly Track[] => {
  const { type, info, metadata, bib } = state;
  const recorded = state.recorded.length > 0 ? new Set(state.recorded) : undefined;

  return tracksAfter(
    tracks,
    new Leg(state),
    {
      type,
      from: parseNameAddr(info.fromUri),
      byLabel: metadata ? participantsByLabel(metadata, recorded) : new Map(),
      inOrder: metadata ? participantsInOrder(metadata, recorded) : [],
      cubeParticipants: [],
      bib: bib?.opened,
    },
    now,
  );
};

/** A track of which nothing is known but its media. */
const trackOf = (
  { trackNumber, mediaType, codecs }: Manifest['tracks'][number],
  startedAt: string,
): Track => ({
  trackNumber,
  mediaType,
  codec: codecs[0]?.codec ?? 'unknown',
  codecs: [],
  startedAt,
  participants: [],
});
