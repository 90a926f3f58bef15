import { crc32 } from 'node:zlib';

const crcOfZero = crc32(Buffer.of(0));
const changeBy = (byte: number): number => (crc32(Buffer.of(byte)) ^ crcOfZero) >>> 0;

/** What a CRC-32 changes by when the last byte does. Every one has another first byte. */
const changes = Uint32Array.from({ length: 256 }, (_, byte) => changeBy(byte));
const byFirstByte = new Uint8Array(256);
for (const [byte, change] of changes.entries()) byFirstByte[change >>> 24] = byte;
const ofOneBit = new Map(Array.from({ length: 8 }, (_, bit) => [changeBy(1 << bit), 1 << bit]));

/** What that change of a CRC-32 was before one more byte went in. */
const before = (change: number): number => {
  const byte = byFirstByte[change >>> 24]!;

  return (((change ^ changes[byte]!) << 8) | byte) >>> 0;
};

/**
 * The bit that, turned, gives `bytes` the CRC-32 `wanted`; undefined where none does. Of less than half a gigabyte there is one at
 * most. By chance, worse damage looks like that too, once in four thousand million for each bit: let the result be checked.
 */
export const findFlippedBit = (
  bytes: Uint8Array,
  wanted: number,
): { readonly at: number; readonly mask: number } | undefined => {
  let change = (crc32(bytes) ^ wanted) >>> 0;
  for (let at = bytes.length - 1; at >= 0; at--) {
    const mask = ofOneBit.get(change);
    if (mask !== undefined) return { at, mask };
    change = before(change);
  }

  return undefined;
};
