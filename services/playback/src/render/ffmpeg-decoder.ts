import {
  AV_SAMPLE_FMT_FLT,
  AV_SAMPLE_FMT_FLTP,
  AV_SAMPLE_FMT_S16,
  AV_SAMPLE_FMT_S16P,
  AV_SAMPLE_FMT_S32,
  AV_SAMPLE_FMT_S32P,
} from 'node-av/constants';
import type { FFDecoderCodec } from 'node-av/constants';
import { avChannelLayoutDefault, Codec, CodecContext, Frame, Packet } from 'node-av/lib';
import type { DecoderSpec } from '../codec/codecs.ts';
import './quiet.ts';
import type { AudioDecoder, Pcm } from './decoder.ts';
import { mono } from './samples.ts';
import type { SampleLayout } from './samples.ts';

const layouts = new Map<number, SampleLayout>([
  [AV_SAMPLE_FMT_S16, 's16'],
  [AV_SAMPLE_FMT_S16P, 's16p'],
  [AV_SAMPLE_FMT_S32, 's32'],
  [AV_SAMPLE_FMT_S32P, 's32p'],
  [AV_SAMPLE_FMT_FLT, 'flt'],
  [AV_SAMPLE_FMT_FLTP, 'fltp'],
]);

const mostChannels = 8;

type Spec = DecoderSpec & { readonly kind: 'ffmpeg' };

const openContext = (spec: Spec): CodecContext => {
  const codec = Codec.findDecoderByName(spec.decoder as FFDecoderCodec);
  if (!codec) throw new Error(`this FFmpeg has no decoder ${spec.decoder}`);
  const context = new CodecContext();
  context.allocContext3(codec);
  context.sampleRate = spec.sampleRate;
  context.channelLayout = avChannelLayoutDefault(spec.channels);
  context.threadCount = 1;
  if (spec.bitRate !== undefined) context.bitRate = BigInt(spec.bitRate);
  if (spec.extraData) context.extraData = Buffer.from(spec.extraData);
  const result = context.open2Sync(codec, null);
  if (result < 0) {
    context.freeContext();
    throw new Error(`FFmpeg's ${spec.decoder} can't be opened (${result})`);
  }

  return context;
};

/** The frame as one channel; undefined for shapes that no codec of a call has. */
const pcmOf = (frame: Frame): Pcm | undefined => {
  const layout = layouts.get(frame.format);
  const { nbSamples, channels, sampleRate, data } = frame;
  if (!layout || !data || channels < 1 || channels > mostChannels || sampleRate < 1) return undefined;

  return { samples: mono(layout, data, channels, nbSamples), sampleRate };
};

class FfmpegDecoder implements AudioDecoder {
  readonly #context: CodecContext;
  readonly #packet = new Packet();
  readonly #frame = new Frame();

  constructor(spec: Spec) {
    this.#context = openContext(spec);
    this.#packet.alloc();
    this.#frame.alloc();
    for (const frame of spec.warmUp ?? []) this.decode(frame);
  }

  decode(bytes: Uint8Array): Pcm | undefined {
    this.#packet.data = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    const sent = this.#context.sendPacketSync(this.#packet);
    this.#packet.unref();
    if (sent < 0) return undefined;
    // Every decoder here gives one frame for one, at once.
    const pcm = this.#context.receiveFrameSync(this.#frame) >= 0 ? pcmOf(this.#frame) : undefined;
    this.#frame.unref();

    return pcm;
  }

  [Symbol.dispose](): void {
    this.#packet.free();
    this.#frame.free();
    this.#context.freeContext();
  }
}

/** A decoder of FFmpeg's; throws where it can't be opened, by a configuration that is nonsense for example. */
export const openFfmpegDecoder = (spec: Spec): AudioDecoder => new FfmpegDecoder(spec);
