import {
  amrFrames,
  genericFormat,
  g729Frames,
  ilbcFrames,
  ilbcMode,
  latmFormat,
} from '@reelstream/rtp/payload';
import { latmFrames, wholePayload } from '@reelstream/rtp/payload';
import type { Depacketise, IlbcMode } from '@reelstream/rtp/payload';

/** What a payload type means, as the manifest has it. */
export type NamedCodec = {
  readonly codec: string;
  readonly clockRate: number;
  readonly channels?: number | undefined;
  readonly fmtp?: string | undefined;
};

/** What turns frames into samples: our own code for the first three, FFmpeg's decoder of that name for the others. */
export type DecoderSpec =
  | { readonly kind: 'PCMU' | 'PCMA' }
  | { readonly kind: 'L16'; readonly sampleRate: number; readonly channels: number }
  | {
      readonly kind: 'ffmpeg';
      readonly decoder: 'g722' | 'g729' | 'ilbc' | 'libopus' | 'amrnb' | 'amrwb' | 'aac' | 'aac_latm';
      readonly sampleRate: number;
      readonly channels: number;
      readonly bitRate?: number;
      readonly extraData?: Uint8Array;
      /** What it decodes before anything else, unheard. */
      readonly warmUp?: readonly Uint8Array[];
    };

/** A codec that can be heard. */
export type AudioCodec = {
  /** Hz; where only the stream itself tells, a guess that its decoder corrects. */
  readonly sampleRate: number;
  readonly decoder: DecoderSpec;
  /** A depacketiser of its own for each source. */
  readonly depacketise: () => Depacketise;
};

const native = (kind: 'PCMU' | 'PCMA'): AudioCodec => ({
  sampleRate: 8_000,
  decoder: { kind },
  depacketise: () => wholePayload,
});

type Ffmpeg = Omit<DecoderSpec & { readonly kind: 'ffmpeg' }, 'kind' | 'channels'> & {
  readonly channels?: number;
};

const ffmpeg = (spec: Ffmpeg, depacketise: (() => Depacketise) | undefined): AudioCodec | undefined =>
  depacketise && {
    sampleRate: spec.sampleRate,
    decoder: { kind: 'ffmpeg', channels: 1, ...spec },
    depacketise,
  };

const amr = (wide: boolean, { channels = 1, fmtp }: NamedCodec): AudioCodec | undefined =>
  // The frames of several channels take turns (RFC 4867 §4.1): nobody sends them, and one decoder would mix them up.
  ffmpeg(
    { decoder: wide ? 'amrwb' : 'amrnb', sampleRate: wide ? 16_000 : 8_000 },
    channels === 1 ? () => amrFrames(wide, fmtp) : undefined,
  );

/**
 * FFmpeg's decoder of iLBC begins with a spectrum of zeros instead of the mean (RFC 3951, `initDecode`): the first
 * frame bursts out at full scale and rings on in the next. So it first decodes frames of next to nothing whose spectrum is
 * the quantised one nearest to that mean (indexes 30, 95, 40); by the fourth what it does agrees with the reference.
 */
const ilbcWarmUp: Readonly<Record<IlbcMode, Uint8Array>> = {
  20: Buffer.from('7afa84'.padEnd(76, '0'), 'hex'),
  30: Buffer.from('7afa87afa82'.padEnd(100, '0'), 'hex'),
};
const warmUpFrames = 4;

const ilbc = (fmtp: string | undefined): AudioCodec | undefined => {
  const mode = ilbcMode(fmtp);
  const frames = ilbcFrames(mode);

  const warmUp = Array.from({ length: warmUpFrames }, () => ilbcWarmUp[mode]);

  // By its bit rate FFmpeg tells the modes.
  return ffmpeg(
    { decoder: 'ilbc', sampleRate: 8_000, bitRate: mode === 20 ? 15_200 : 13_333, warmUp },
    () => frames,
  );
};

/** The RTP clock of MPEG-4 audio is its sampling rate, or 90,000, which says nothing about it. */
const aacRate = (clockRate: number): number => (clockRate === 90_000 ? 48_000 : clockRate);
const aacSamples = 1_024;

const latm = ({ clockRate, fmtp }: NamedCodec): AudioCodec | undefined => {
  const format = latmFormat(fmtp);
  if (!format) return undefined;
  const sampleRate = aacRate(clockRate);
  const unitTicks = (aacSamples * clockRate) / sampleRate;
  const config = format.kind === 'units' ? { extraData: format.audioSpecificConfig } : {};

  return ffmpeg(
    { decoder: format.kind === 'units' ? 'aac' : 'aac_latm', sampleRate, channels: 2, ...config },
    () => latmFrames(format, unitTicks),
  );
};

const generic = ({ clockRate, fmtp }: NamedCodec): AudioCodec | undefined => {
  const sampleRate = aacRate(clockRate);
  const format = genericFormat(fmtp, (aacSamples * clockRate) / sampleRate);
  const extraData = format?.audioSpecificConfig;

  return (
    format && extraData && ffmpeg({ decoder: 'aac', sampleRate, channels: 2, extraData }, () => format.frames)
  );
};

const l16 = ({ clockRate, channels = 1 }: NamedCodec): AudioCodec | undefined => {
  if (clockRate < 8_000 || clockRate > 192_000 || channels > 2) return undefined;

  return {
    sampleRate: clockRate,
    decoder: { kind: 'L16', sampleRate: clockRate, channels },
    depacketise: () => wholePayload,
  };
};

/** By upper-case encoding name. A clock rate other than the one that its RFC fixes is none we can trust. */
const known: Readonly<Record<string, (codec: NamedCodec) => AudioCodec | undefined>> = {
  PCMU: ({ clockRate }) => (clockRate === 8_000 ? native('PCMU') : undefined),
  PCMA: ({ clockRate }) => (clockRate === 8_000 ? native('PCMA') : undefined),
  L16: l16,
  G722: ({ clockRate }) =>
    clockRate === 8_000 || clockRate === 16_000
      ? ffmpeg({ decoder: 'g722', sampleRate: 16_000 }, () => wholePayload)
      : undefined,
  G729: ({ clockRate }) =>
    clockRate === 8_000 ? ffmpeg({ decoder: 'g729', sampleRate: 8_000 }, () => g729Frames) : undefined,
  ILBC: ({ clockRate, fmtp }) => (clockRate === 8_000 ? ilbc(fmtp) : undefined),
  OPUS: ({ clockRate }) =>
    clockRate === 48_000
      ? ffmpeg({ decoder: 'libopus', sampleRate: 48_000, channels: 2 }, () => wholePayload)
      : undefined,
  AMR: (codec) => (codec.clockRate === 8_000 ? amr(false, codec) : undefined),
  'AMR-WB': (codec) => (codec.clockRate === 16_000 ? amr(true, codec) : undefined),
  'MP4A-LATM': latm,
  'MPEG4-GENERIC': generic,
};

/** RFC 3551's static types, for packets of a type that was never negotiated. */
const staticTypes: ReadonlyMap<number, NamedCodec> = new Map([
  [0, { codec: 'PCMU', clockRate: 8_000 }],
  [8, { codec: 'PCMA', clockRate: 8_000 }],
  [9, { codec: 'G722', clockRate: 8_000 }],
  [10, { codec: 'L16', clockRate: 44_100, channels: 2 }],
  [11, { codec: 'L16', clockRate: 44_100 }],
  [13, { codec: 'CN', clockRate: 8_000 }],
  [18, { codec: 'G729', clockRate: 8_000 }],
]);

/** What a payload type means without a negotiation. */
export const staticCodec = (payloadType: number): NamedCodec | undefined => staticTypes.get(payloadType);

/** How a codec is heard; undefined where it can't be. */
export const audioCodec = (codec: NamedCodec): AudioCodec | undefined =>
  known[codec.codec.toUpperCase()]?.(codec);
