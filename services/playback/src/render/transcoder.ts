import { AV_PIX_FMT_YUV420P, FF_DECODER_VP8, FF_ENCODER_LIBX264 } from 'node-av/constants';
import { Codec, CodecContext, Frame, Packet, Rational } from 'node-av/lib';
import { setOptions } from './options.ts';
import './quiet.ts';
import type { Picture } from './pictures.ts';

/** Unit of the timestamps between decoder and encoder: 1/90,000 s. */
const clock = 90_000;
/** Pictures a second, by which x264 picks level and bit rate; the timestamps are what counts. */
const usualRate = 30;
/** Players seek to key frames; senders make theirs seldom. */
const keyFrameEvery = 150;

/** One picture in, one out: nothing is held back, so that each keeps its time. The quality is that of x264's default. */
const encoding = { preset: 'veryfast', tune: 'zerolatency', crf: '23', profile: 'baseline' };

const openDecoder = (): CodecContext => {
  const codec = Codec.findDecoderByName(FF_DECODER_VP8);
  if (!codec) throw new Error('this FFmpeg has no decoder vp8');
  const context = new CodecContext();
  context.allocContext3(codec);
  context.threadCount = 1;
  const result = context.open2Sync(codec, null);
  if (result < 0) throw new Error(`FFmpeg's vp8 can't be opened (${result})`);

  return context;
};

const openEncoder = (width: number, height: number): CodecContext => {
  const codec = Codec.findEncoderByName(FF_ENCODER_LIBX264);
  if (!codec) throw new Error('this FFmpeg has no encoder libx264');
  const context = new CodecContext();
  context.allocContext3(codec);
  context.width = width;
  context.height = height;
  context.pixelFormat = AV_PIX_FMT_YUV420P;
  context.timeBase = new Rational(1, clock);
  context.framerate = new Rational(usualRate, 1);
  context.gopSize = keyFrameEvery;
  context.maxBFrames = 0;
  context.threadCount = 1;
  setOptions(context, encoding);
  const result = context.open2Sync(codec, null);
  if (result < 0) throw new Error(`FFmpeg's libx264 can't be opened for ${width} x ${height} (${result})`);

  return context;
};

/** Makes H.264 of VP8, picture by picture; parameter sets stand before every key picture. */
export class Transcoder implements Disposable {
  readonly #decoder = openDecoder();
  readonly #packet = new Packet();
  readonly #frame = new Frame();
  #encoder: CodecContext | undefined;
  #size = '';
  #lastTicks = Number.NEGATIVE_INFINITY;

  constructor() {
    this.#packet.alloc();
    this.#frame.alloc();
  }

  /** What a picture has become; none, where it can't be decoded. */
  take({ bytes, atS }: Picture): readonly Picture[] {
    this.#packet.data = Buffer.from(bytes);
    const sent = this.#decoder.sendPacketSync(this.#packet);
    this.#packet.unref();
    if (sent < 0 || this.#decoder.receiveFrameSync(this.#frame) < 0) return [];
    const picture = this.#encode(atS);
    this.#frame.unref();

    return picture ? [picture] : [];
  }

  [Symbol.dispose](): void {
    this.#packet.free();
    this.#frame.free();
    this.#decoder.freeContext();
    this.#encoder?.freeContext();
  }

  #encode(atS: number): Picture | undefined {
    const frame = this.#frame;
    const encoder = this.#encoderFor(frame);
    if (!encoder) return undefined;
    this.#lastTicks = Math.max(Math.round(atS * clock), this.#lastTicks + 1);
    frame.pts = BigInt(this.#lastTicks);
    if (encoder.sendFrameSync(frame) < 0 || encoder.receivePacketSync(this.#packet) < 0) return undefined;
    const { data, isKeyframe: key } = this.#packet;
    const bytes = data && Uint8Array.from(data);
    this.#packet.unref();

    return bytes ? { codec: 'H264', bytes, key, atS } : undefined;
  }

  /** A sender changes the size of its pictures as its way allows: then another sequence begins, as in H.264 that is copied. */
  #encoderFor({ width, height, format }: Frame): CodecContext | undefined {
    if (format !== AV_PIX_FMT_YUV420P || width < 1 || height < 1) return undefined;
    const size = `${width}x${height}`;
    if (this.#encoder && this.#size === size) return this.#encoder;
    this.#encoder?.freeContext();
    this.#encoder = openEncoder(width, height);
    this.#size = size;

    return this.#encoder;
  }
}
