const two32 = 0x100000000;

/**
 * Interarrival jitter after a packet (RFC 3550 A.8), in timestamp units: `transit` is arrival less timestamp of the packet,
 * `before` that of the packet before it.
 */
export const nextJitter = (jitter: number, before: number, transit: number): number => {
  const apart = Math.abs(transit - before);
  // Timestamps wrap: the difference is taken in 32 bits, as the reference code's unsigned arithmetic does.
  const wrapped = apart < two32 ? apart : apart % two32;

  return jitter + (Math.min(wrapped, two32 - wrapped) - jitter) / 16;
};

/** The jitter of an SSRC so far, and the transit time that the next packet's is compared with. */
export type JitterState = {
  readonly transit: number;
  readonly jitter: number;
  readonly highest: number;
  /** Over all packets but the first. */
  readonly sum: number;
};
