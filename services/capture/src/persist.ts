import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '@reelstream/service';

const pauseMs = 1_000;

/**
 * Does what must be done, and may be repeated, until it succeeds: a full disk has room again some day. Says the first
 * failure. Rejects with the last one once `closing` aborts.
 */
export const persist = async <T>(
  action: () => Promise<T>,
  options: { readonly what: string; readonly closing: AbortSignal; readonly log: Logger },
): Promise<T> => {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await action();
    } catch (error) {
      if (options.closing.aborted) throw error;
      if (attempt === 1) options.log.error({ error }, `${options.what} failed, will be repeated`);
      await sleep(pauseMs, undefined, { signal: options.closing }).catch(() => undefined);
    }
  }
};
