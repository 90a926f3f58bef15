/** G.711, both laws, between 8-bit codes and 16-bit linear samples (ITU-T G.711; RFC 3551 §4.5.14). */

export type G711Law = 'PCMU' | 'PCMA';

const muBias = 0x84;
const muClip = 32_635;

/** Number of the highest set bit at or above bit 7, counted from there: the segment of a biased magnitude. */
const segmentOf = (magnitude: number): number => Math.max(0, 24 - Math.clz32(magnitude));

const encodeMuLaw = (sample: number): number => {
  const sign = sample < 0 ? 0x80 : 0;
  const magnitude = Math.min(Math.abs(sample), muClip) + muBias;
  const segment = segmentOf(magnitude);
  const mantissa = (magnitude >> (segment + 3)) & 0x0f;

  return ~(sign | (segment << 4) | mantissa) & 0xff;
};

const decodeMuLaw = (code: number): number => {
  const bits = ~code & 0xff;
  const magnitude = ((((bits & 0x0f) << 3) + muBias) << ((bits >> 4) & 0x07)) - muBias;

  return bits & 0x80 ? -magnitude : magnitude;
};

/** A-law has no bias and a linear first segment; every second bit goes inverted over the line (0x55). */
const encodeALaw = (sample: number): number => {
  const sign = sample >= 0 ? 0x80 : 0;
  const magnitude = sample >= 0 ? sample : -sample - 1;
  const segment = segmentOf(magnitude);
  const mantissa = (magnitude >> (segment === 0 ? 4 : segment + 3)) & 0x0f;

  return (sign | (segment << 4) | mantissa) ^ 0x55;
};

const decodeALaw = (code: number): number => {
  const bits = code ^ 0x55;
  const segment = (bits >> 4) & 0x07;
  const linear = ((bits & 0x0f) << 4) + 8;
  const magnitude = segment === 0 ? linear : (linear + 0x100) << (segment - 1);

  return bits & 0x80 ? magnitude : -magnitude;
};

const encoders = { PCMU: encodeMuLaw, PCMA: encodeALaw } as const;
const decoders = { PCMU: decodeMuLaw, PCMA: decodeALaw } as const;

/** One code a sample. */
export const encodeG711 = (law: G711Law, samples: Int16Array): Uint8Array =>
  Uint8Array.from(samples, encoders[law]);

/** One sample a code. */
export const decodeG711 = (law: G711Law, payload: Uint8Array): Int16Array =>
  Int16Array.from(payload, decoders[law]);
