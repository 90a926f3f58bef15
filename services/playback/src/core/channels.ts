/** What a manifest tells of one track, as far as it decides how the track is heard. */
export type TrackSummary = {
  readonly trackNumber: number;
  readonly mediaType: 'audio' | 'video';
  readonly codecs: readonly {
    readonly payloadType: number;
    readonly codec: string;
    readonly clockRate: number;
  }[];
  readonly spans: readonly { readonly payloadType: number }[];
};

export type Decoder = 'PCMU' | 'PCMA';

/** One channel of a WAV file. */
export type Channel = {
  readonly trackNumber: number;
  /** Decoder by payload type; other payload types of the track are silent. */
  readonly decoders: ReadonlyMap<number, Decoder>;
  /** Codecs that carried media which can't be heard. */
  readonly silentCodecs: readonly string[];
};

/** What all channels are rendered at: the rate of the codecs that can be decoded. */
export const sampleRate = 8_000;

/** RFC 3551's static types, for packets of a type that was never negotiated. */
const staticDecoders: ReadonlyMap<number, Decoder> = new Map([
  [0, 'PCMU'],
  [8, 'PCMA'],
]);

/** Payloads that aren't sound: tones by name, and parameters of a silence. */
const soundless = new Set(['TELEPHONE-EVENT', 'CN']);

const decoderOf = (codec: string, clockRate: number): Decoder | undefined => {
  const name = codec.toUpperCase();

  return clockRate === sampleRate && (name === 'PCMU' || name === 'PCMA') ? name : undefined;
};

const channelOf = (track: TrackSummary): Channel => {
  const named = new Map(track.codecs.map((codec) => [codec.payloadType, codec]));
  const decoders = new Map<number, Decoder>();
  const silent = new Set<string>();
  for (const payloadType of new Set(track.spans.map((span) => span.payloadType))) {
    const codec = named.get(payloadType);
    const decoder = codec ? decoderOf(codec.codec, codec.clockRate) : staticDecoders.get(payloadType);
    const isSoundless = codec ? soundless.has(codec.codec.toUpperCase()) : payloadType === 13;
    if (decoder) decoders.set(payloadType, decoder);
    else if (!isSoundless) silent.add(codec?.codec ?? `payload type ${payloadType}`);
  }

  return { trackNumber: track.trackNumber, decoders, silentCodecs: [...silent] };
};

/** One channel for each audio track, in order of their numbers. */
export const channelsOf = (tracks: readonly TrackSummary[]): readonly Channel[] =>
  tracks
    .filter(({ mediaType }) => mediaType === 'audio')
    .toSorted((a, b) => a.trackNumber - b.trackNumber)
    .map(channelOf);

/** Codecs that keep a whole recording from being heard: it has media, but none that can be decoded. */
export const undecodable = (channels: readonly Channel[]): readonly string[] =>
  channels.some(({ decoders }) => decoders.size > 0)
    ? []
    : [...new Set(channels.flatMap(({ silentCodecs }) => silentCodecs))];
