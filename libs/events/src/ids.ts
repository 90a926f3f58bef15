import { v5, v7 } from 'uuid';

/** Namespace of ids that are derived from their cause. */
const derivedNamespace = '8f6c1f5e-5a0e-5b5b-9d0a-3c1d3a2b7e10';

/** Chance is drawn for many ids at once: it comes from the system, at the price of a hundred ids each time. */
const chance = new Uint8Array(16 * 256);
let drawn = chance.length;
const last = { ms: 0, sequence: 0 };

/**
 * A fresh, time-ordered id (UUIDv7, RFC 9562 §6.2 method 1: within a millisecond, or while the clock stands back, they
 * count). For the shell: it reads clock and chance.
 */
export const freshId = (): string => {
  if (drawn === chance.length) {
    crypto.getRandomValues(chance);
    drawn = 0;
  }
  const random = chance.subarray(drawn, (drawn += 16));
  const now = Date.now();
  if (now > last.ms) {
    last.ms = now;
    // 31 bits of 32: there is room to count.
    last.sequence = new DataView(random.buffer, random.byteOffset).getUint32(6) >>> 1;
  } else {
    last.sequence = (last.sequence + 1) >>> 0;
    if (last.sequence === 0) last.ms += 1;
  }

  return v7({ random, msecs: last.ms, seq: last.sequence });
};

/** The id of a fact that follows from `cause`: whoever derives it, and however often, gets the same (UUIDv5). */
export const derivedId = (...cause: readonly string[]): string => v5(cause.join('\n'), derivedNamespace);
