import { SlowFact } from '@reelstream/events';
import type { SlowFactBucket } from '@reelstream/events';
import { Compile } from 'typebox/compile';
import { isNewerSlowFact } from './core/slow-fact.ts';
import type { Bus } from './types.ts';

/** One bucket of slow facts as this process last saw it; while the bus is away it stays as it was. */
export interface SlowFactView {
  /** What is there now, by key; what is gone is left out. */
  current(): ReadonlyMap<string, unknown>;
  stop(): void;
}

const validator = Compile(SlowFact);

/** An entry of a bucket of slow facts; undefined for anything else. */
export const readSlowFact = (value: unknown): SlowFact | undefined =>
  validator.Check(value) ? value : undefined;

const loadPauseMs = 50;

/**
 * Watches a bucket of slow facts. An older entry never replaces a newer one, and an emptied bucket takes nothing away.
 * `onChange` is called after every change. Resolves once the bucket was read, or after `loadLimitMs` (default 1,000): then
 * it comes with the bus.
 */
export const watchSlowFacts = async (
  bus: Pick<Bus, 'kv' | 'connected'>,
  bucket: SlowFactBucket,
  options: { readonly onChange?: () => void; readonly loadLimitMs?: number } = {},
): Promise<SlowFactView> => {
  const entries = new Map<string, SlowFact>();
  const take = (key: string, value: unknown): void => {
    const fact = readSlowFact(value);
    if (!fact || !isNewerSlowFact(fact, entries.get(key))) return;
    entries.set(key, fact);
    options.onChange?.();
  };
  const kv = await bus.kv(bucket);
  const stop = await kv.watch(take);
  const deadline = performance.now() + (options.loadLimitMs ?? 1_000);
  for (let isLoaded = false; !isLoaded && performance.now() < deadline;) {
    const limit = deadline - performance.now();
    isLoaded = await Promise.race([
      kv.entries().then(
        (found) => {
          for (const [key, value] of found) take(key, value);

          return true;
        },
        () => pause(loadPauseMs).then(() => false),
      ),
      pause(limit).then(() => false),
    ]);
  }

  return {
    current: () =>
      new Map([...entries].flatMap(([key, { value }]) => (value === null ? [] : [[key, value] as const]))),
    stop,
  };
};

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms).unref());
