import type { Correlation, Participant, Track } from '@reelstream/events';
import type { Codec as ManifestCodec } from '@reelstream/recording';
import type { BibLegInfo, Codec, Metadata, SessionId } from '@reelstream/sip';

/** Encoding names that our playback decodes, best first: an answer prefers them, and takes anything else too. */
export const playableCodecs = [
  'L16',
  'opus',
  'MP4A-LATM',
  'mpeg4-generic',
  'AMR-WB',
  'G722',
  'PCMU',
  'PCMA',
  'G729',
  'AMR',
  'iLBC',
  'H264',
  'VP8',
] as const;

export const isPlayable = (codec: string): boolean =>
  playableCodecs.some((name) => name.toUpperCase() === codec.toUpperCase());

/** A codec as the manifest keeps it. */
export const manifestCodec = ({
  payloadType,
  name,
  clockRate,
  channels,
  parameters,
}: Codec): ManifestCodec => ({
  payloadType,
  codec: name,
  clockRate,
  channels,
  ...(parameters === undefined ? {} : { fmtp: parameters }),
});

export type NewTrack = {
  readonly trackNumber: number;
  readonly mediaType: 'audio' | 'video';
  readonly label: string | undefined;
  readonly codec: Codec;
  /** As received, `sdes:AES_CM_128_HMAC_SHA1_80`; undefined for plain RTP. */
  readonly encryption?: string | undefined;
  readonly participants: readonly Participant[];
};

/** A track that begins at `now`. */
export const newTrack = (track: NewTrack, now: string): Track => ({
  trackNumber: track.trackNumber,
  mediaType: track.mediaType,
  ...(track.label === undefined ? {} : { label: track.label }),
  codec: track.codec.name,
  ...(track.encryption === undefined ? {} : { encryption: track.encryption }),
  codecs: [codecSpan(track.codec, now)],
  startedAt: now,
  participants: [...track.participants],
});

type NamedCodec = Pick<Codec, 'name' | 'payloadType' | 'clockRate'>;

const codecSpan = ({ name, payloadType, clockRate }: NamedCodec, from: string): Track['codecs'][number] => ({
  codec: name,
  payloadType,
  clockRate,
  from,
});

/** The track from `now` on with another codec negotiated; the same codec changes nothing. */
export const withCodec = (track: Track, codec: NamedCodec, now: string): Track => {
  const last = track.codecs.at(-1);
  if (last?.payloadType === codec.payloadType && last.codec === codec.name) return track;
  const before = track.codecs.map((span) => ({ ...span, to: span.to ?? now }));

  return { ...track, codec: codec.name, codecs: [...before, codecSpan(codec, now)] };
};

/**
 * Whether one of these would give a payload type another codec than it has had on the track, which RFC 3264 §8.3.2 forbids:
 * what came under it before could no longer be read.
 */
export const redefines = (codecs: readonly NamedCodec[], track: Pick<Track, 'codecs'>): boolean =>
  codecs.some(({ payloadType, name, clockRate }) =>
    track.codecs.some(
      (span) =>
        span.payloadType === payloadType &&
        (span.codec.toUpperCase() !== name.toUpperCase() || span.clockRate !== clockRate),
    ),
  );

/** A track whose stream has ended, while its session goes on: who was heard on it has left. */
export const closedTrack = (track: Track, now: string): Track =>
  track.endedAt === undefined
    ? {
        ...track,
        endedAt: now,
        codecs: track.codecs.map((span) => ({ ...span, to: span.to ?? now })),
        participants: track.participants.map((one) => ({ ...one, leftAt: one.leftAt ?? now })),
      }
    : track;

/** The track as it is encrypted from now on. */
export const withEncryption = (track: Track, encryption: string | undefined): Track => {
  const { encryption: before, ...plain } = track;

  return before === encryption ? track : { ...plain, ...(encryption === undefined ? {} : { encryption }) };
};

/** What ties a session to what others know of the call. The recorded session's own ids go before those of our dialog. */
export const correlationOf = (said: {
  readonly ciscoGuid: string | undefined;
  readonly sessionId: SessionId | undefined;
  readonly bib: BibLegInfo | undefined;
  readonly metadata: Metadata | undefined;
  /** The communication sessions it records, where some are named. */
  readonly recorded?: ReadonlySet<string>;
  readonly pairingKey?: string | undefined;
  readonly continues?: string | undefined;
}): Correlation => {
  const { bib, metadata } = said;
  const named = metadata?.sessions.filter(
    ({ id }) => (said.recorded?.size ?? 0) === 0 || said.recorded?.has(id),
  );
  const [recorded, ...others] = named ?? [];
  const inMetadata = /^[0-9a-f]{32}/i.exec(recorded?.sipSessionIds[0] ?? '')?.[0].toLowerCase();
  const found: { readonly [K in keyof Correlation]: Correlation[K] | undefined } = {
    ciscoGuid: said.ciscoGuid ?? bib?.nearEndGuid ?? bib?.farEndGuid,
    xRefCi: bib?.refCi,
    nearEndGuid: bib?.nearEndGuid,
    farEndGuid: bib?.farEndGuid,
    continues: said.continues,
    sipSessionId: inMetadata ?? said.sessionId?.local,
    siprecSessionId: recorded?.id,
    siprecSessionIds: others.length === 0 ? undefined : named?.map(({ id }) => id),
    groupId: recorded?.groupId ?? metadata?.groups[0]?.id,
    pairingKey: said.pairingKey,
  };

  return Object.fromEntries(Object.entries(found).filter(([, value]) => value !== undefined && value !== ''));
};
