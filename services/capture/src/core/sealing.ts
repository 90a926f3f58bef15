import { pausesOf } from '@reelstream/domain';
import type { Pause, SessionRecord } from '@reelstream/domain';
import type { CodecSpan, Track, SessionFlag } from '@reelstream/events';
import type { Codec, Manifest } from '@reelstream/recording';
import type { SealDescription, TrackFigures } from '../media/types.ts';
import { isCompanion } from './companions.ts';
import type { SealedMedia, TrackTotals } from './decide.ts';

/** Every codec negotiated at any time, by track number: for the manifest. */
export type NegotiatedCodecs = Readonly<Record<number, readonly Codec[]>>;

/** Those negotiated before with those negotiated now; a payload type means what it was given last. */
export const withNegotiated = (before: NegotiatedCodecs, now: NegotiatedCodecs): NegotiatedCodecs => {
  const merged: Record<number, readonly Codec[]> = { ...before };
  for (const [track, added] of Object.entries(now)) {
    const kept = (before[Number(track)] ?? []).filter(({ payloadType }) =>
      added.every((codec) => codec.payloadType !== payloadType),
    );
    merged[Number(track)] = [...kept, ...added];
  }

  return merged;
};

/** What the manifest says of a session beside its media. */
export const sealDescription = (record: SessionRecord, negotiated: NegotiatedCodecs): SealDescription => ({
  startedAt: record.startedAt,
  ...(record.interruptions && {
    interruptions: record.interruptions.map(({ offsetMs, durationMs }) => ({ fromMs: offsetMs, durationMs })),
  }),
  tracks: record.tracks.map(({ trackNumber, mediaType, label, encryption, codecs, startedAt }) => ({
    trackNumber,
    mediaType,
    ...(label === undefined ? {} : { label }),
    ...(encryption === undefined ? {} : { encryption }),
    codecs: negotiated[trackNumber] ?? codecs.map(plainCodec),
    pauses: pausesDuring(record, startedAt),
  })),
});

/** The pauses of a session since one of its tracks began. */
const pausesDuring = (
  { tags = [], startedAt, durationMs }: SessionRecord,
  trackStartedAt: string,
): readonly Pause[] => {
  const beganMs = Date.parse(trackStartedAt) - Date.parse(startedAt);

  return pausesOf(tags, durationMs).filter(({ toMs }) => toMs === undefined || toMs > beganMs);
};

const plainCodec = ({ codec, payloadType, clockRate }: CodecSpan): Codec => ({
  codec,
  payloadType,
  clockRate,
});

/** What the recorder counted, per track. */
export const totalsOf = (
  figures: readonly TrackFigures[],
  negotiated: NegotiatedCodecs,
): readonly TrackTotals[] =>
  figures.map(
    ({ trackNumber, packets, lost, durationMs, firstPacketAt, payloadSpans, figures: quality }) => ({
      trackNumber,
      packets,
      // Duplicates can make more of what was received than was expected.
      lost: Math.max(0, lost),
      durationMs,
      codecs: codecSpans(payloadSpans, negotiated[trackNumber] ?? []),
      ...(quality === undefined ? {} : { figures: quality }),
      ...(firstPacketAt === undefined ? {} : { firstPacketAt }),
    }),
  );

/** What is odd about the media of a session. */
export const flagsOf = (figures: readonly TrackFigures[]): readonly SessionFlag[] => [
  ...(figures.some(({ srtp }) => srtp && srtp.passed === 0 && srtp.authFailed > 0)
    ? (['srtp-auth-failed'] as const)
    : []),
  ...(figures.some(({ srtp }) => srtp && srtp.overLifetime > 0) ? (['srtp-key-outlived'] as const) : []),
  ...(figures.some(({ handshakes, rejected }) => handshakes && isInVain(handshakes, rejected))
    ? (['dtls-failed'] as const)
    : []),
];

/** A call that was on hold all along needs no keys. */
const isInVain = ({ agreed, failed }: Required<TrackFigures>['handshakes'], rejected: number): boolean =>
  !agreed && failed + rejected > 0;

/** The same from a manifest: what could be saved of a session whose process died. */
export const totalsOfManifest = ({ tracks }: Manifest): readonly TrackTotals[] =>
  tracks.map(({ trackNumber, packets, lost, durationMs, firstPacketAt, figures }) => ({
    trackNumber,
    packets,
    lost: Math.max(0, lost),
    durationMs,
    ...(figures === undefined ? {} : { figures }),
    ...(firstPacketAt === undefined ? {} : { firstPacketAt }),
  }));

/** The codecs as they were sent, in order; tones and comfort noise between two stretches of one codec don't part them. */
const codecSpans = (
  spans: TrackFigures['payloadSpans'],
  negotiated: readonly Codec[],
): readonly CodecSpan[] => {
  const found: CodecSpan[] = [];
  for (const { payloadType, from, to, ptimeMs } of spans) {
    const known = negotiated.find((codec) => codec.payloadType === payloadType);
    if (!known || isCompanion(known.codec)) continue;
    const last = found.at(-1);
    const { codec, clockRate } = known;
    const time = ptimeMs ?? (last?.payloadType === payloadType ? last.ptimeMs : undefined);
    const span = { codec, payloadType, clockRate, ...(time === undefined ? {} : { ptimeMs: time }) };
    const goesOn = last?.payloadType === payloadType && (last.ptimeMs ?? time) === time;
    if (goesOn) found[found.length - 1] = { ...span, from: last.from, to };
    else found.push({ ...span, from, to });
  }

  return found;
};

/** What the event says of a sealed folder: its manifest in short. */
export const sealedMedia = (manifest: Manifest, folder: string): SealedMedia => ({
  sealedAt: manifest.sealedAt,
  folder,
  sizeBytes: manifest.sizeBytes,
  files: manifest.files,
  gaps: manifest.tracks.flatMap(({ trackNumber, gaps }) =>
    gaps.length === 0 ? [] : [{ trackNumber, gaps }],
  ),
  figures: manifest.tracks.flatMap(({ trackNumber, figures }) =>
    figures === undefined ? [] : [{ trackNumber, figures }],
  ),
  encryption: manifest.encryption,
  ...(manifest.recovered === undefined ? {} : { recovered: manifest.recovered }),
});

/** Track numbers are given once and never again in a session. */
export const nextTrackNumber = (tracks: readonly Track[]): number =>
  tracks.reduce((next, { trackNumber }) => Math.max(next, trackNumber + 1), 0);
