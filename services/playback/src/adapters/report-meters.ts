import type { Logger, Meters } from '@reelstream/service';

const reportEveryMs = 60_000;

/** Logs what was counted, once a minute where something changed. Returns the end of it. */
export const reportMeters = (meters: Meters, log: Logger): (() => void) => {
  let last = '{}';
  const timer = setInterval(() => {
    const counted = meters.snapshot();
    const now = JSON.stringify(counted);
    if (now !== last) log.info({ meters: counted }, 'meters');
    last = now;
  }, reportEveryMs);

  return () => clearInterval(timer);
};
