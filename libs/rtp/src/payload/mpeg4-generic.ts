/**
 * MPEG-4 audio, mode AAC-hbr and AAC-lbr (RFC 3640 §3.2): AU-headers-length(16), AU headers of sizeLength and
 * indexLength bits each, padding to a byte, then the access units. Fragmented units are not joined: their packets break
 * the format here.
 */
import { BitReader } from './bits.ts';
import { formatParameters } from './frame.ts';
import type { Depacketise, Frame } from './frame.ts';

const lengthOf = (text: string | undefined): number => {
  const bits = Number(text ?? 0);

  return Number.isInteger(bits) && bits >= 0 && bits <= 32 ? bits : 0;
};

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

  const frames: Depacketise = ({ payload, timestamp }) => {
    const headerBits = payload.length < 2 ? -1 : payload[0]! * 256 + payload[1]!;
    const each = sizeLength + indexLength;
    let at = 2 + Math.ceil(headerBits / 8);
    if (headerBits <= 0 || headerBits % each !== 0 || at > payload.length) return undefined;
    const reader = new BitReader(payload.subarray(2, at));
    const units: Frame[] = [];
    for (let n = 0; n < headerBits / each; n++) {
      const size = reader.read(sizeLength);
      reader.read(indexLength);
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
