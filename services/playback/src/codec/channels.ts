import { audioCodec, staticCodec } from './codecs.ts';
import type { AudioCodec, NamedCodec } from './codecs.ts';

/** What a manifest tells of one track, as far as it decides how the track is heard. */
export type TrackSummary = {
  readonly trackNumber: number;
  readonly mediaType: 'audio' | 'video';
  readonly codecs: readonly (NamedCodec & { readonly payloadType: number })[];
  readonly spans: readonly { readonly payloadType: number }[];
};

/** What the packets of a payload type are. */
export type PayloadUse =
  | { readonly kind: 'audio'; readonly codec: AudioCodec; readonly clockRate: number }
  /** Tones by name: listed, not heard. */
  | { readonly kind: 'tones'; readonly clockRate: number }
  /** Comfort noise: how the sender's silence sounds until it speaks again. */
  | { readonly kind: 'noise'; readonly clockRate: number }
  /** Codecs that can't be decoded: they keep the clock, and are silent. */
  | { readonly kind: 'silence'; readonly clockRate: number };

/** One channel of a WAV file. */
export type Channel = {
  readonly trackNumber: number;
  readonly uses: ReadonlyMap<number, PayloadUse>;
  /** Codecs that carried media which can't be heard. */
  readonly silentCodecs: readonly string[];
};

const useOf = (codec: NamedCodec): PayloadUse => {
  const { clockRate } = codec;
  const name = codec.codec.toUpperCase();
  if (name === 'TELEPHONE-EVENT') return { kind: 'tones', clockRate };
  if (name === 'CN' && clockRate >= 8_000 && clockRate <= 48_000) return { kind: 'noise', clockRate };
  const audio = audioCodec(codec);

  return audio ? { kind: 'audio', codec: audio, clockRate } : { kind: 'silence', clockRate };
};

const channelOf = (track: TrackSummary): Channel => {
  const named = new Map(track.codecs.map((codec) => [codec.payloadType, codec]));
  const uses = new Map<number, PayloadUse>();
  const silent = new Set<string>();
  for (const payloadType of new Set(track.spans.map((span) => span.payloadType))) {
    const codec = named.get(payloadType) ?? staticCodec(payloadType);
    const use = codec && useOf(codec);
    if (use) uses.set(payloadType, use);
    if (!use || use.kind === 'silence') silent.add(codec?.codec ?? `payload type ${payloadType}`);
  }

  return { trackNumber: track.trackNumber, uses, silentCodecs: [...silent] };
};

/** One channel for each audio track, in order of their numbers. */
export const channelsOf = (tracks: readonly TrackSummary[]): readonly Channel[] =>
  tracks
    .filter(({ mediaType }) => mediaType === 'audio')
    .toSorted((a, b) => a.trackNumber - b.trackNumber)
    .map(channelOf);

const codecsOf = ({ uses }: Channel): readonly AudioCodec[] =>
  [...uses.values()].flatMap((use) => (use.kind === 'audio' ? [use.codec] : []));

/** Codecs that keep a whole recording from being heard: it has media, but none that can be decoded. */
export const undecodable = (channels: readonly Channel[]): readonly string[] =>
  channels.some((channel) => codecsOf(channel).length > 0)
    ? []
    : [...new Set(channels.flatMap(({ silentCodecs }) => silentCodecs))];

/** Rates that every format takes. */
const rates = [8_000, 16_000, 24_000, 48_000] as const;

/**
 * The rate that all channels are rendered at: the lowest that keeps all of the best codec. A recording in G.711 stays at
 * 8,000 Hz, sample by sample.
 */
export const sampleRateOf = (channels: readonly Channel[]): number => {
  const best = Math.max(
    0,
    ...channels.flatMap((channel) => codecsOf(channel).map(({ sampleRate }) => sampleRate)),
  );

  return rates.find((rate) => rate >= best) ?? 48_000;
};
