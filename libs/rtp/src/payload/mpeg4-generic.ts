/**
 * MPEG-4 audio, mode AAC-hbr and AAC-lbr (RFC 3640 §3.2): AU-headers-length(16), AU headers of sizeLength and
 * indexLength bits each, padding to a byte, then the access units. A unit that is too long for a packet comes alone in
 * several of one timestamp, each with the size of the whole in its header, the last with the marker (§3.2.3).
 */
import { BitReader } from './bits.ts';
import { formatParameters } from './frame.ts';
import type { Depacketise, Frame, MediaPacket } from './frame.ts';

const lengthOf = (text: string | undefined): number => {
  const bits = Number(text ?? 0);

  return Number.isInteger(bits) && bits >= 0 && bits <= 32 ? bits : 0;
};

/** No access unit is longer; whoever announces one would have us gather without end. */
const longestUnit = 65_535;

export type GenericFormat = { readonly audioSpecificConfig: Uint8Array; readonly frames: Depacketise };

/** Undefined where `fmtp` has no configuration or headers of another shape. `unitTicks` as for latmFrames. */
export const genericFormat = (fmtp: string | undefined, unitTicks: number): GenericFormat | undefined => {
  const parameters = formatParameters(fmtp);
  const config = parameters.get('config') ?? '';
  const sizeLength = lengthOf(parameters.get('sizelength'));
  const indexLength = lengthOf(parameters.get('indexlength'));
  const deltaLength = lengthOf(parameters.get('indexdeltalength'));
  if (!/^([0-9a-f]{2}){2,256}$/i.test(config) || sizeLength === 0 || indexLength !== deltaLength)
    return undefined;

  /** Of a unit whose pieces are still coming. */
  let pieces: { readonly size: number; readonly timestamp: number; readonly parts: Uint8Array[] } | undefined;

  /** A piece: nothing as long as others follow, then the unit; undefined where one of them is missing. */
  const piece = (bytes: Uint8Array, size: number, packet: MediaPacket): Frame[] | undefined => {
    const { timestamp, follows, marker } = packet;
    const before = pieces?.size === size && pieces.timestamp === timestamp && follows ? pieces : undefined;
    const parts = [...(before?.parts ?? []), bytes];
    const came = parts.reduce((sum, { length }) => sum + length, 0);
    pieces = came < size && size <= longestUnit && !marker ? { size, timestamp, parts } : undefined;
    if (pieces) return [];

    return came === size ? [{ bytes: Buffer.concat(parts), timestamp }] : undefined;
  };

  const frames: Depacketise = (packet) => {
    const { payload, timestamp } = packet;
    const headerBits = payload.length < 2 ? -1 : payload[0]! * 256 + payload[1]!;
    const each = sizeLength + indexLength;
    let at = 2 + Math.ceil(headerBits / 8);
    if (headerBits <= 0 || headerBits % each !== 0 || at > payload.length) return undefined;
    const reader = new BitReader(payload.subarray(2, at));
    const units: Frame[] = [];
    for (let n = 0; n < headerBits / each; n++) {
      const size = reader.read(sizeLength);
      reader.read(indexLength);
      if (headerBits === each && (at + size > payload.length || pieces))
        return piece(payload.subarray(at), size, packet);
      if (at + size > payload.length) return undefined;
      units.push({ bytes: payload.subarray(at, at + size), timestamp: timestamp + n * unitTicks });
      at += size;
    }

    return units;
  };

  return {
    audioSpecificConfig: Uint8Array.from(config.match(/../g) ?? [], (hex) => Number.parseInt(hex, 16)),
    frames,
  };
};
