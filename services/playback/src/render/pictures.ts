import { H264Assembler } from '@reelstream/rtp/payload';
import { secondsAt } from '../core/layout.ts';
import type { SegmentClock } from '../core/layout.ts';
import { InOrder } from './in-order.ts';
import { clockedPackets } from './track-packets.ts';
import type { TrackSource } from './track-packets.ts';

/** A picture at its time on the common clock. */
export type Picture = {
  readonly bytes: Uint8Array;
  readonly key: boolean;
  /** Seconds since the start of the session. */
  readonly atS: number;
};

/** The whole pictures of an H.264 track, in order of decoding, from the first that decoding can begin with. */
export async function* picturesOf(
  source: TrackSource,
  clocks: readonly SegmentClock[],
): AsyncGenerator<Picture> {
  const order = new InOrder();
  const assemblers = new Map<number, H264Assembler>();
  let hasBegun = false;
  const assemble = ({
    payload: { segment, ticks, packet },
    follows,
  }: ReturnType<InOrder['push']>[number]) => {
    const clock = clocks[segment];
    const assembler = assemblers.get(segment) ?? new H264Assembler();
    assemblers.set(segment, assembler);
    const { header, bytes } = packet.payload;
    const frames = assembler.take({ payload: bytes, marker: header.marker, timestamp: ticks, follows });

    return frames.flatMap(({ bytes: picture, key, whole, timestamp }): readonly Picture[] => {
      if (!clock || !whole || !(hasBegun ||= key)) return [];

      return [{ bytes: picture, key, atS: secondsAt(clock, timestamp) }];
    });
  };
  for await (const packets of clockedPackets(source, { strays: 0, damage: undefined }))
    for (const packet of packets) for (const each of order.push(packet)) yield* assemble(each);
  for (const each of order.finish()) yield* assemble(each);
}

const startCode = 3;

/** The parameter sets of a picture (NAL unit types 7 and 8), with their start codes; undefined where one is missing. */
export const parameterSets = (picture: Uint8Array): Uint8Array | undefined => {
  const bytes = Buffer.from(picture.buffer, picture.byteOffset, picture.length);
  const code = Buffer.of(0, 0, 0, 1);
  const sets: Buffer[] = [];
  for (let at = bytes.indexOf(code); at >= 0;) {
    const next = bytes.indexOf(code, at + startCode + 1);
    const type = (bytes[at + startCode + 1] ?? 0) & 0x1f;
    if (type === 7 || type === 8) sets.push(bytes.subarray(at, next < 0 ? bytes.length : next));
    at = next;
  }
  const types = new Set(sets.map((set) => (set[startCode + 1] ?? 0) & 0x1f));

  return types.size === 2 ? Buffer.concat(sets) : undefined;
};
