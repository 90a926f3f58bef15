/**
 * Comfort noise (RFC 3389 §3): what a silence sounds like.
 *
 * ```
 *  0 1 2 3 4 5 6 7
 * +-+-+-+-+-+-+-+-+
 * |0|    level    |  then one byte for each reflection coefficient
 * +-+-+-+-+-+-+-+-+
 * ```
 */
export type ComfortNoise = {
  /** Root mean square over that of a square wave at full scale, in dB; 0 at the most. */
  readonly levelDbov: number;
  /** Reflection coefficients of the all-pole filter that shapes it, the first one first; each between −1 and 1. */
  readonly reflection: readonly number[];
};

/** A receiver may leave the higher ones out (§3); appendix II of G.711, which the format comes from, uses ten. */
const mostCoefficients = 12;
/** The index that stands for none (§3.2). */
const reserved = 255;

/** Reads a payload; undefined for an empty one. */
export const readComfortNoise = (payload: Uint8Array): ComfortNoise | undefined => {
  const [level, ...indexes] = payload.subarray(0, 1 + mostCoefficients);
  if (level === undefined) return undefined;
  const known = indexes.includes(reserved) ? indexes.slice(0, indexes.indexOf(reserved)) : indexes;

  return {
    levelDbov: 0 - (level & 0x7f),
    reflection: known.map((index) => (258 * (index - 127)) / 32_768),
  };
};
