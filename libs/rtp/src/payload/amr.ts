/**
 * AMR and AMR-WB (RFC 4867). Bandwidth-efficient (§4.3) unless `octet-align=1` (§4.4):
 *
 * ```
 * CMR(4)  then per frame F(1) FT(4) Q(1)  then the bits of all frames, without padding       §4.3
 * CMR(4) R(4)  then per frame F(1) FT(4) Q(1) P(2)  [CRC(8) per frame]  then frames in bytes §4.4
 * ```
 */
import { BitReader } from './bits.ts';
import { formatParameters } from './frame.ts';
import type { Depacketise, Frame } from './frame.ts';

/** Bits of a frame by its type; the last is comfort noise (SID). 3GPP TS 26.101 and 26.201. */
const narrowBits = [95, 103, 118, 134, 148, 159, 204, 244, 39] as const;
const wideBits = [132, 177, 253, 285, 317, 365, 397, 461, 477, 40] as const;
const noData = 15;
const lostFrame = 14;
/** RFC 4867 sets no bound; a packet of a second and a half is past every ptime. */
const mostFrames = 75;

type Entry = { readonly type: number; readonly good: number };
type Layout = { readonly bits: readonly number[]; readonly samples: number };

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

/** A frame as files of AMR store it (§5.3): one byte of header, then its bits, padded. */
const stored = ({ type, good }: Entry, bits: Uint8Array): Uint8Array => {
  const frame = new Uint8Array(1 + bits.length);
  frame[0] = (type << 3) | (good << 2);
  frame.set(bits, 1);

  return frame;
};

const framesOf = (layout: Layout, aligned: boolean, crc: boolean): Depacketise => {
  const speech = layout.bits.length - 1;

  return ({ payload, timestamp }) => {
    const reader = new BitReader(payload);
    reader.read(aligned ? 8 : 4);
    const entries = readEntries(reader, aligned);
    if (!entries || entries.some(({ type }) => type > speech && type < lostFrame)) return undefined;
    if (crc) reader.read(8 * entries.filter(({ type }) => type < lostFrame).length);
    const frames: Frame[] = [];
    for (const [n, entry] of entries.entries()) {
      if (entry.type === noData || entry.type === lostFrame) continue;
      const bits = layout.bits[entry.type] ?? 0;
      const bytes = reader.bytes(bits);
      if (aligned && bits % 8 !== 0) reader.read(8 - (bits % 8));
      if (reader.overrun) return undefined;
      if (entry.type !== speech)
        frames.push({ bytes: stored(entry, bytes), timestamp: timestamp + n * layout.samples });
    }

    return frames;
  };
};

/**
 * Speech frames in the storage format; comfort noise is left out, it is silence here. Undefined where `fmtp` asks for
 * interleaving or robust sorting, which nobody sends.
 */
export const amrFrames = (wide: boolean, fmtp: string | undefined): Depacketise | undefined => {
  const parameters = formatParameters(fmtp);
  if (parameters.has('interleaving') || parameters.get('robust-sorting') === '1') return undefined;
  const crc = parameters.get('crc') === '1';
  const aligned = crc || parameters.get('octet-align') === '1';

  return framesOf({ bits: wide ? wideBits : narrowBits, samples: wide ? 320 : 160 }, aligned, crc);
};
