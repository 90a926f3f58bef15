import { H264Assembler, Vp8Assembler } from '@reelstream/rtp/payload';
import type { VideoCodec, VideoTrack } from '../codec/videos.ts';
import { secondsAt } from '../core/layout.ts';
import type { SegmentClock } from '../core/layout.ts';
import type { Ordered } from '../core/reorder.ts';
import type { ClockedPacket } from '../core/sender-clocks.ts';
import { InOrder } from './in-order.ts';
import { clockedPackets } from './track-packets.ts';
import type { PacketBytes, TrackSource } from './track-packets.ts';

/** A picture at its time on the common clock. */
export type Picture = {
  readonly codec: VideoCodec;
  readonly bytes: Uint8Array;
  readonly key: boolean;
  /** Seconds since the start of the session. */
  readonly atS: number;
};

export type VideoSource = TrackSource<VideoTrack['uses']>;

const assemblers = { H264: H264Assembler, VP8: Vp8Assembler } as const;

/** Puts the pictures of a track together; each segment and codec has an assembler of its own. */
class Pictures {
  readonly #source: VideoSource;
  readonly #clocks: readonly SegmentClock[];
  readonly #assemblers = new Map<string, H264Assembler | Vp8Assembler>();
  /** What decoding may go on with; undefined until a picture came that it can begin with. */
  #begun: VideoCodec | undefined;

  constructor(source: VideoSource, clocks: readonly SegmentClock[]) {
    this.#source = source;
    this.#clocks = clocks;
  }

  /** The pictures that a packet completes. */
  take({ payload: { segment, ticks, packet }, follows }: Ordered<ClockedPacket<PacketBytes>>): Picture[] {
    const { header, bytes: payload } = packet.payload;
    const clock = this.#clocks[segment];
    const codec = this.#source.uses.get(header.payloadType)?.codec;
    if (!clock || !codec) return [];
    const frames = this.#assembler(segment, codec).take({
      payload,
      marker: header.marker,
      timestamp: ticks,
      follows,
    });

    return frames.flatMap(({ bytes, key, whole, timestamp }): readonly Picture[] => {
      if (key && whole) this.#begun = codec;
      if (!whole || this.#begun !== codec) return [];

      return [{ codec, bytes, key, atS: secondsAt(clock, timestamp) }];
    });
  }

  #assembler(segment: number, codec: VideoCodec): H264Assembler | Vp8Assembler {
    const name = `${segment} ${codec}`;
    const assembler = this.#assemblers.get(name) ?? new assemblers[codec]();
    this.#assemblers.set(name, assembler);

    return assembler;
  }
}

/** The whole pictures of a track, in order of decoding, from the first that decoding can begin with. */
export async function* picturesOf(
  source: VideoSource,
  clocks: readonly SegmentClock[],
): AsyncGenerator<Picture> {
  const order = new InOrder();
  const pictures = new Pictures(source, clocks);
  for await (const packets of clockedPackets(source, { strays: 0, damage: undefined }))
    for (const packet of packets) for (const each of order.push(packet)) yield* pictures.take(each);
  for (const each of order.finish()) yield* pictures.take(each);
}

const startCode = Buffer.of(0, 0, 1);

/** The NAL units of a picture, without their start codes (H.264 annex B). */
const unitsOf = (picture: Uint8Array): readonly Buffer[] => {
  const bytes = Buffer.from(picture.buffer, picture.byteOffset, picture.length);
  const units: Buffer[] = [];
  for (let at = bytes.indexOf(startCode); at >= 0;) {
    const begin = at + startCode.length;
    at = bytes.indexOf(startCode, begin);
    let end = at < 0 ? bytes.length : at;
    // Zeros that follow belong to the next start code, or to nothing.
    while (end > begin && bytes[end - 1] === 0) end--;
    units.push(bytes.subarray(begin, end));
  }

  return units;
};

const typeOf = (unit: Buffer): number => (unit[0] ?? 0) & 0x1f;

/** The parameter sets of a picture (NAL unit types 7 and 8), with start codes; undefined where one is missing. */
export const parameterSets = (picture: Uint8Array): Uint8Array | undefined => {
  const sets = unitsOf(picture).filter((unit) => typeOf(unit) === 7 || typeOf(unit) === 8);

  return new Set(sets.map(typeOf)).size === 2
    ? Buffer.concat(sets.flatMap((set) => [Buffer.of(0), startCode, set]))
    : undefined;
};
