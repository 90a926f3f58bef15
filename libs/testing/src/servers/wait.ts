import { setTimeout as sleep } from 'node:timers/promises';

/** Asks `probe` every `everyMs` until it gives a value; rejects with what `describe` says once `deadlineMs` is over. */
export const waitFor = async <T>(
  probe: () => Promise<T | undefined> | T | undefined,
  options: {
    readonly deadlineMs: number;
    readonly everyMs?: number;
    readonly describe: string | (() => string);
  },
): Promise<T> => {
  const deadline = performance.now() + options.deadlineMs;
  for (;;) {
    const value = await probe();
    if (value !== undefined) return value;
    if (performance.now() > deadline) {
      const what = typeof options.describe === 'string' ? options.describe : options.describe();
      throw new Error(`${what} (waited ${options.deadlineMs} ms)`);
    }
    await sleep(options.everyMs ?? 20);
  }
};
