import { SlowFact } from '@reelstream/events';
import type { SlowFactBucket } from '@reelstream/events';
import { Compile } from 'typebox/compile';
import { isNewerSlowFact } from './core/slow-fact.ts';
import type { Bus, KeyValue } from './types.ts';

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
/** Changes within this time are told together: a bucket that comes whole is thousands of them. */
const togetherMs = 20;

export type SlowFactOptions = {
  /** Called with what is there now, after the bucket was read and after changes. */
  readonly onChange?: (current: ReadonlyMap<string, unknown>) => void;
  /** Longest wait for the bucket, in milliseconds. Default 1,000. */
  readonly loadLimitMs?: number;
};

/** Follows one bucket; see `watchSlowFacts`. */
class Following implements SlowFactView {
  readonly #entries = new Map<string, SlowFact>();
  readonly #tell: (current: ReadonlyMap<string, unknown>) => void;
  #telling: NodeJS.Timeout | undefined;
  #end: () => void = () => undefined;

  constructor(tell: (current: ReadonlyMap<string, unknown>) => void) {
    this.#tell = tell;
  }

  async begin(kv: KeyValue, loadLimitMs: number): Promise<void> {
    this.#end = await kv.watch((key, value) => this.#take(key, value));
    const deadline = performance.now() + loadLimitMs;
    for (let isLoaded = false; !isLoaded && performance.now() < deadline;)
      isLoaded = await Promise.race([this.#load(kv), pause(deadline - performance.now()).then(() => false)]);
    this.#tellNow();
  }

  current(): ReadonlyMap<string, unknown> {
    return new Map(
      [...this.#entries].flatMap(([key, { value }]) => (value === null ? [] : [[key, value] as const])),
    );
  }

  stop(): void {
    this.#end();
    clearTimeout(this.#telling);
  }

  async #load(kv: KeyValue): Promise<boolean> {
    try {
      for (const [key, value] of await kv.entries()) this.#take(key, value);

      return true;
    } catch {
      await pause(loadPauseMs);

      return false;
    }
  }

  #take(key: string, value: unknown): void {
    const fact = readSlowFact(value);
    if (!fact || !isNewerSlowFact(fact, this.#entries.get(key))) return;
    this.#entries.set(key, fact);
    this.#telling ??= setTimeout(() => this.#tellNow(), togetherMs);
  }

  #tellNow(): void {
    clearTimeout(this.#telling);
    this.#telling = undefined;
    this.#tell(this.current());
  }
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms).unref());

/**
 * Watches a bucket of slow facts. An older entry never replaces a newer one, and an emptied bucket takes nothing away.
 * Resolves once the bucket was read, or after `loadLimitMs`: then it comes with the bus.
 */
export const watchSlowFacts = async (
  bus: Pick<Bus, 'kv'>,
  bucket: SlowFactBucket,
  options: SlowFactOptions = {},
): Promise<SlowFactView> => {
  const following = new Following(options.onChange ?? (() => undefined));
  await following.begin(await bus.kv(bucket), options.loadLimitMs ?? 1_000);

  return following;
};

/**
 * Whether an operator has taken this node out, now and whenever that changes; survives restarts of the node. Resolves as
 * `watchSlowFacts` does, after the first call of `onChange`. Returns the end of it.
 */
export const followDrain = async (
  bus: Pick<Bus, 'kv'>,
  nodeId: string,
  onChange: (isDrained: boolean) => void,
): Promise<() => void> => {
  const view = await watchSlowFacts(bus, 'drains', { onChange: (current) => onChange(current.has(nodeId)) });

  return () => view.stop();
};
