/** One table per byte of a word: `tables[k]` of what is k bytes from its end. */
const tables = [0, 1, 2, 3].map(() => new Int32Array(256));
for (let byte = 0; byte < 256; byte++) {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb8_8320 : value >>> 1;
  tables[0]![byte] = value;
}
for (const [k, table] of tables.entries()) {
  const before = tables[k - 1];
  if (before) table.forEach((_, i) => (table[i] = (before[i]! >>> 8) ^ tables[0]![before[i]! & 0xff]!));
}
const [last, third, second, first] = tables as [Int32Array, Int32Array, Int32Array, Int32Array];

/** zlib's crc32 of `[from .. to]`, whole words of 4 bytes: for a dozen of them tables are quicker than a call out of JavaScript. */
export const shortCrc32 = (bytes: DataView, from: number, to: number, seed: number): number => {
  let crc = ~seed;
  for (let at = from; at < to; at += 4) {
    crc ^= bytes.getInt32(at, true);
    crc = first[crc & 0xff]! ^ second[(crc >>> 8) & 0xff]! ^ third[(crc >>> 16) & 0xff]! ^ last[crc >>> 24]!;
  }

  return ~crc >>> 0;
};
