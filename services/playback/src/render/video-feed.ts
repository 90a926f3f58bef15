import { AV_CODEC_ID_H264, AVMEDIA_TYPE_VIDEO, FF_DECODER_H264 } from 'node-av/constants';
import { Codec, CodecContext, Frame, Packet, Rational } from 'node-av/lib';
import type { SegmentClock } from '../core/layout.ts';
import type { Muxer } from './muxer.ts';
import { asH264 } from './as-h264.ts';
import { parameterSets, picturesOf } from './pictures.ts';
import type { Picture, VideoSource } from './pictures.ts';

const videoClock = 90_000;
const lastPictureTicks = 3_000;
/** A key picture that brings its parameter sets comes within so many pictures, or the track is none. */
const mostSearched = 10_000;

type Opening = {
  readonly sets: Uint8Array;
  readonly width: number;
  readonly height: number;
  readonly atS: number;
};

/** What size a picture has, by decoding it. */
const sizeOf = (picture: Uint8Array): { width: number; height: number } | undefined => {
  const codec = Codec.findDecoderByName(FF_DECODER_H264);
  if (!codec) throw new Error('this FFmpeg has no decoder h264');
  using context = new CodecContext();
  using packet = new Packet();
  using frame = new Frame();
  context.allocContext3(codec);
  context.threadCount = 1;
  packet.alloc();
  frame.alloc();
  if (context.open2Sync(codec, null) < 0) return undefined;
  packet.data = Buffer.from(picture);
  context.sendPacketSync(packet);
  // Nothing comes behind it: the decoder holds no picture back.
  context.sendPacketSync(null);

  return context.receiveFrameSync(frame) >= 0 ? { width: frame.width, height: frame.height } : undefined;
};

const openingOf = async (
  source: VideoSource,
  clocks: readonly SegmentClock[],
): Promise<Opening | undefined> => {
  let searched = 0;
  for await (const { bytes, key, atS } of asH264(picturesOf(source, clocks))) {
    if (++searched > mostSearched) return undefined;
    const sets = key ? parameterSets(bytes) : undefined;
    const size = sets && sizeOf(bytes);
    if (sets && size && size.width > 0 && size.height > 0) return { sets, ...size, atS };
  }

  return undefined;
};

/** The pictures of one track on their way into an MP4 file. */
export class VideoFeed implements Disposable {
  readonly #opening: Opening;
  readonly #pictures: AsyncGenerator<Picture>;
  readonly #packet = new Packet();
  #stream = -1;
  #waiting: Picture | undefined;
  #lastDts = Number.NEGATIVE_INFINITY;

  private constructor(opening: Opening, pictures: AsyncGenerator<Picture>) {
    this.#opening = opening;
    this.#pictures = pictures;
    this.#packet.alloc();
  }

  /** Undefined where no picture of the track can be decoded. */
  static async open(source: VideoSource, clocks: readonly SegmentClock[]): Promise<VideoFeed | undefined> {
    const opening = await openingOf({ ...source, onRead: () => undefined }, clocks);

    return opening && new VideoFeed(opening, asH264(picturesOf(source, clocks)));
  }

  /** When its first picture is seen, in seconds since the start of the session. */
  get startS(): number {
    return this.#opening.atS;
  }

  addTo(muxer: Muxer): void {
    const { sets, width, height } = this.#opening;
    this.#stream = muxer.addDescribed(new Rational(1, videoClock), ({ codecpar }) => {
      codecpar.codecType = AVMEDIA_TYPE_VIDEO;
      codecpar.codecId = AV_CODEC_ID_H264;
      codecpar.width = width;
      codecpar.height = height;
      codecpar.extradata = Buffer.from(sets);
    });
  }

  /** Writes the pictures up to a time of the session; `zeroS` is where the file begins. Both in seconds. */
  async writeUntil(muxer: Muxer, untilS: number, zeroS: number): Promise<void> {
    for (;;) {
      this.#waiting ??= ((await this.#pictures.next()) as IteratorResult<Picture, undefined>).value;
      if (!this.#waiting || this.#waiting.atS > untilS) return;
      this.#write(muxer, this.#waiting, zeroS);
      this.#waiting = undefined;
    }
  }

  [Symbol.dispose](): void {
    this.#packet.free();
  }

  #write(muxer: Muxer, { bytes, key, atS }: Picture, zeroS: number): void {
    // Calls send no pictures out of order; a clock that starts anew must not run backwards.
    const time = Math.max(Math.round((atS - zeroS) * videoClock), this.#lastDts + 1);
    this.#lastDts = time;
    this.#packet.data = Buffer.from(bytes);
    this.#packet.pts = BigInt(time);
    this.#packet.dts = BigInt(time);
    // The next picture ends this one; only the last stays for so long.
    this.#packet.duration = BigInt(lastPictureTicks);
    this.#packet.isKeyframe = key;
    muxer.write(this.#stream, this.#packet);
    this.#packet.unref();
  }
}
