/**
 * AMR and AMR-WB (RFC 4867). Bandwidth-efficient (§4.3) unless `octet-align=1` (§4.4), which CRCs, robust sorting and
 * interleaving need:
 *
 * ```
 * CMR(4)  then per frame F(1) FT(4) Q(1)  then the bits of all frames, without padding                        §4.3
 * CMR(4) R(4)  [ILL(4) ILP(4)]  then per frame F(1) FT(4) Q(1) P(2)  [CRC(8) per frame]  then frames in bytes §4.4
 * ```
 */
import { BitReader } from './bits.ts';
import { formatParameters } from './frame.ts';
import type { Depacketise, Frame } from './frame.ts';
import { inGroupOrder } from './interleaved.ts';

/** Bits of a frame by its type; the last is comfort noise (SID). 3GPP TS 26.101 and 26.201. */
const narrowBits = [95, 103, 118, 134, 148, 159, 204, 244, 39] as const;
const wideBits = [132, 177, 253, 285, 317, 365, 397, 461, 477, 40] as const;
/** This type and the one above it, no data, carry no bits. */
const lostFrame = 14;
/** RFC 4867 sets no bound; a packet of a second and a half is past every ptime. */
const mostFrames = 75;

type Entry = { readonly type: number; readonly good: number };
type Layout = { readonly bits: readonly number[]; readonly samples: number };

/** How payloads are packed, by the parameters of §8.1. */
type Packing = {
  readonly aligned: boolean;
  readonly crc: boolean;
  /** The first bytes of all frames go before the second bytes of all, and so on. */
  readonly sorted: boolean;
  readonly interleaved: boolean;
};

const readEntries = (reader: BitReader, aligned: boolean): readonly Entry[] | undefined => {
  const entries: Entry[] = [];
  for (let more = 1; more === 1;) {
    if (reader.overrun || entries.length === mostFrames) return undefined;
    more = reader.read(1);
    entries.push({ type: reader.read(4), good: reader.read(1) });
    if (aligned) reader.read(2);
  }

  return entries;
};

/** Bits of frames of these lengths, one frame after the other. */
const readInTurn = (reader: BitReader, lengths: readonly number[], aligned: boolean): readonly Uint8Array[] =>
  lengths.map((bits) => {
    const bytes = reader.bytes(bits);
    if (aligned && bits % 8 !== 0) reader.read(8 - (bits % 8));

    return bytes;
  });

/** Bits of frames of these lengths whose bytes were dealt out in turns. */
const readSorted = (reader: BitReader, lengths: readonly number[]): readonly Uint8Array[] => {
  const frames = lengths.map((bits) => new Uint8Array(Math.ceil(bits / 8)));
  const longest = Math.max(0, ...frames.map(({ length }) => length));
  for (let i = 0; i < longest; i++)
    for (const frame of frames) if (i < frame.length) frame[i] = reader.read(8);

  return frames;
};

/** A frame as files of AMR store it (§5.3): one byte of header, then its bits, padded. */
const stored = ({ type, good }: Entry, bits: Uint8Array): Uint8Array => {
  const frame = new Uint8Array(1 + bits.length);
  frame[0] = (type << 3) | (good << 2);
  frame.set(bits, 1);

  return frame;
};

const framesOf = (layout: Layout, { aligned, crc, sorted, interleaved }: Packing): Depacketise => {
  const speech = layout.bits.length - 1;
  const group = interleaved ? inGroupOrder(layout.samples) : undefined;

  return ({ payload, timestamp }) => {
    const reader = new BitReader(payload);
    reader.read(aligned ? 8 : 4);
    const [last, place] = interleaved ? [reader.read(4), reader.read(4)] : [0, 0];
    const entries = readEntries(reader, aligned);
    if (!entries || place > last || entries.some(({ type }) => type > speech && type < lostFrame)) return;
    const carried = entries.filter(({ type }) => type < lostFrame);
    if (crc) reader.read(8 * carried.length);
    const lengths = carried.map(({ type }) => layout.bits[type] ?? 0);
    const bits = sorted ? readSorted(reader, lengths) : readInTurn(reader, lengths, aligned);
    if (reader.overrun) return undefined;
    const frames: Frame[] = [];
    for (const [n, entry] of entries.entries()) {
      const own = bits[carried.indexOf(entry)];
      if (own && entry.type !== speech)
        frames.push({
          bytes: stored(entry, own),
          timestamp: timestamp + n * (last + 1) * layout.samples,
        });
    }

    return group ? group({ last, place, timestamp }, frames) : frames;
  };
};

/** Speech frames in the storage format and in order; comfort noise is left out, it is silence here. For one source. */
export const amrFrames = (wide: boolean, fmtp: string | undefined): Depacketise => {
  const parameters = formatParameters(fmtp);
  const is = (name: string): boolean => parameters.get(name) === '1';
  const packing = {
    crc: is('crc'),
    sorted: is('robust-sorting'),
    interleaved: parameters.has('interleaving'),
  };
  // Each of them implies it (§8.1).
  const aligned = is('octet-align') || packing.crc || packing.sorted || packing.interleaved;

  return framesOf({ bits: wide ? wideBits : narrowBits, samples: wide ? 320 : 160 }, { ...packing, aligned });
};
