import type { TrackSummary } from './channels.ts';

/** Codecs whose pictures can be seen: H.264 is copied into an MP4 file, VP8 transcoded. */
export type VideoCodec = 'H264' | 'VP8';

/** What the packets of a payload type are. */
export type VideoUse = { readonly kind: 'video'; readonly codec: VideoCodec; readonly clockRate: number };

/** A track of pictures. */
export type VideoTrack = {
  readonly trackNumber: number;
  readonly uses: ReadonlyMap<number, VideoUse>;
  /** Codecs that carried pictures which can't be seen. */
  readonly unseenCodecs: readonly string[];
};

const isSeen = (name: string): name is VideoCodec => name === 'H264' || name === 'VP8';

/** One for each video track that has packets, in order of their numbers. */
export const videosOf = (tracks: readonly TrackSummary[]): readonly VideoTrack[] =>
  tracks
    .filter(({ mediaType, spans }) => mediaType === 'video' && spans.length > 0)
    .toSorted((a, b) => a.trackNumber - b.trackNumber)
    .map(({ trackNumber, codecs, spans }) => {
      const named = new Map(codecs.map((codec) => [codec.payloadType, codec]));
      const uses = new Map<number, VideoUse>();
      const unseen = new Set<string>();
      for (const payloadType of new Set(spans.map((span) => span.payloadType))) {
        const { codec = `payload type ${payloadType}`, clockRate = 0 } = named.get(payloadType) ?? {};
        const name = codec.toUpperCase();
        if (isSeen(name)) uses.set(payloadType, { kind: 'video', codec: name, clockRate });
        else unseen.add(codec);
      }

      return { trackNumber, uses, unseenCodecs: [...unseen] };
    });
