import type { Logger } from './log.ts';
import type { Meters } from './meters.ts';

const everyMs = 10_000;

/** Logs what was counted, once in ten seconds and only if anything was. Returns the function that ends it. */
export const reportMeters = (meters: Meters, log: Logger): (() => void) => {
  let before = '';
  const timer = setInterval(() => {
    const counted = meters.snapshot();
    const now = JSON.stringify(counted);
    if (now !== before && Object.keys(counted).length > 0) log.info({ meters: counted }, 'meters');
    before = now;
  }, everyMs);

  return () => clearInterval(timer);
};
