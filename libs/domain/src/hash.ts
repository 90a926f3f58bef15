/** FNV-1a over UTF-16 code units, 32 bits, mixed. For placement, not for secrets. */
export const hashText = (text: string): number => {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  }

  return mix(hash);
};

/** Makes one hash of two that looks random in every bit, and is another for every other partner of either. */
export const mixHashes = (left: number, right: number): number => mix(left ^ right);

/** The finalizer of MurmurHash3: each bit of its input changes half the bits of what it returns. */
const mix = (input: number): number => {
  let hash = Math.imul(input ^ (input >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);

  return (hash ^ (hash >>> 16)) >>> 0;
};
