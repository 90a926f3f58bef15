const table = Int32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb8_8320 : value >>> 1;

  return value >>> 0;
});

/** zlib's crc32 of `bytes[from .. to]`: for a few dozen bytes a table is quicker than a call out of JavaScript. */
export const shortCrc32 = (bytes: Uint8Array, from: number, to: number, seed: number): number => {
  let crc = ~seed;
  for (let at = from; at < to; at++) crc = (crc >>> 8) ^ table[(crc ^ bytes[at]!) & 0xff]!;

  return ~crc >>> 0;
};
