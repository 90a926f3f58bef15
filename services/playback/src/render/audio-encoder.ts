import {
  AV_CODEC_FLAG_GLOBAL_HEADER,
  AV_SAMPLE_FMT_FLTP,
  AV_SAMPLE_FMT_S16,
  AV_SAMPLE_FMT_S16P,
} from 'node-av/constants';
import type { FFEncoderCodec } from 'node-av/constants';
import { avChannelLayoutDefault, Codec, CodecContext, Frame, Packet, Rational } from 'node-av/lib';
import type { Encoding } from '../core/formats.ts';

export type AudioShape = { readonly sampleRate: number; readonly channels: 1 | 2 };

const sampleFormats = { aac: AV_SAMPLE_FMT_FLTP, libopus: AV_SAMPLE_FMT_S16, libmp3lame: AV_SAMPLE_FMT_S16P };

/** The samples of a frame in the layout of its format. */
const layOut = (encoder: Encoding['encoder'], channels: readonly Int16Array[], count: number): Buffer => {
  if (encoder === 'aac') {
    const planes = new Float32Array(count * channels.length);
    for (const [c, samples] of channels.entries())
      for (let i = 0; i < count; i++) planes[c * count + i] = samples[i]! / 32_768;

    return Buffer.from(planes.buffer);
  }
  const data = new Int16Array(count * channels.length);
  const planar = encoder === 'libmp3lame';
  for (const [c, samples] of channels.entries())
    for (let i = 0; i < count; i++) data[planar ? c * count + i : i * channels.length + c] = samples[i]!;

  return Buffer.from(data.buffer);
};

/** Encodes audio; packets are handed to `onPacket`, with timestamps in samples, and are valid until it returns. */
export class AudioEncoder implements Disposable {
  readonly context = new CodecContext();
  readonly #encoding: Encoding;
  readonly #shape: AudioShape;
  readonly #packet = new Packet();
  readonly #onPacket: (packet: Packet) => void;
  #samples = 0;

  constructor(encoding: Encoding, shape: AudioShape, onPacket: (packet: Packet) => void) {
    const codec = Codec.findEncoderByName(encoding.encoder as FFEncoderCodec);
    if (!codec) throw new Error(`this FFmpeg has no encoder ${encoding.encoder}`);
    this.#encoding = encoding;
    this.#shape = shape;
    this.#onPacket = onPacket;
    this.#packet.alloc();
    const { context } = this;
    context.allocContext3(codec);
    context.sampleRate = shape.sampleRate;
    context.channelLayout = avChannelLayoutDefault(shape.channels);
    context.sampleFormat = sampleFormats[encoding.encoder];
    context.bitRate = BigInt(encoding.bitsPerChannel(shape.sampleRate) * shape.channels);
    context.timeBase = new Rational(1, shape.sampleRate);
    context.threadCount = 1;
    if (encoding.muxer === 'mp4') context.setFlags(AV_CODEC_FLAG_GLOBAL_HEADER);
    const result = context.open2Sync(codec, null);
    if (result < 0) throw new Error(`FFmpeg's ${encoding.encoder} can't be opened (${result})`);
  }

  /** Samples that a frame holds; only the last may have fewer. */
  get frameSize(): number {
    return this.context.frameSize;
  }

  get encoded(): number {
    return this.#samples;
  }

  /** Encodes the next samples of each channel. */
  encode(channels: readonly Int16Array[]): void {
    const count = channels[0]?.length ?? 0;
    const { encoder } = this.#encoding;
    const frame = Frame.fromAudioBuffer(layOut(encoder, channels, count), {
      nbSamples: count,
      format: sampleFormats[encoder],
      sampleRate: this.#shape.sampleRate,
      channelLayout: avChannelLayoutDefault(this.#shape.channels),
      timeBase: { num: 1, den: this.#shape.sampleRate },
      pts: BigInt(this.#samples),
    });
    this.#samples += count;
    this.#send(frame);
    frame.free();
  }

  finish(): void {
    this.#send(null);
  }

  [Symbol.dispose](): void {
    this.#packet.free();
    this.context.freeContext();
  }

  #send(frame: Frame | null): void {
    const sent = this.context.sendFrameSync(frame);
    if (sent < 0) throw new Error(`FFmpeg's ${this.#encoding.encoder} refuses a frame (${sent})`);
    while (this.context.receivePacketSync(this.#packet) >= 0) {
      this.#onPacket(this.#packet);
      this.#packet.unref();
    }
  }
}
