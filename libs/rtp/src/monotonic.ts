import { hrtime } from 'node:process';

/**
 * A clock of ns since boot (CLOCK_MONOTONIC) as a number: cheap enough to read per packet, and the same for every
 * process of this machine until it boots again.
 */
export const monotonicClock = (): (() => number) => {
  const originNs = Number(hrtime.bigint()) - performance.now() * 1e6;

  return () => Math.round(originNs + performance.now() * 1e6);
};
