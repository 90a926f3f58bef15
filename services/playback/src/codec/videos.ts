import type { TrackSummary } from './channels.ts';

/** A track of pictures that go into an MP4 file as they came. */
export type VideoTrack = {
  readonly trackNumber: number;
  /** H.264's payload types. */
  readonly uses: ReadonlyMap<number, { readonly kind: 'video'; readonly clockRate: number }>;
  /** Codecs that carried pictures which can't be copied. */
  readonly unseenCodecs: readonly string[];
};

const isH264 = (codec: string): boolean => codec.toUpperCase() === 'H264';

/** One for each video track that has packets, in order of their numbers. */
export const videosOf = (tracks: readonly TrackSummary[]): readonly VideoTrack[] =>
  tracks
    .filter(({ mediaType, spans }) => mediaType === 'video' && spans.length > 0)
    .toSorted((a, b) => a.trackNumber - b.trackNumber)
    .map(({ trackNumber, codecs, spans }) => {
      const used = new Set(spans.map(({ payloadType }) => payloadType));
      const seen = codecs.filter(({ payloadType }) => used.has(payloadType));
      const copied = seen.filter(({ codec }) => isH264(codec));
      const named = new Set(seen.map(({ payloadType }) => payloadType));
      const unnamed = [...used].filter((payloadType) => !named.has(payloadType));

      return {
        trackNumber,
        uses: new Map(
          copied.map(({ payloadType, clockRate }) => [payloadType, { kind: 'video' as const, clockRate }]),
        ),
        unseenCodecs: [
          ...new Set([
            ...seen.filter(({ codec }) => !isH264(codec)).map(({ codec }) => codec),
            ...unnamed.map((payloadType) => `payload type ${payloadType}`),
          ]),
        ],
      };
    });
