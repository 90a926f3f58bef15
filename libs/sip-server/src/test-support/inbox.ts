import type { EventEmitter } from 'node:events';
import { once } from 'node:events';

/** What arrived, for tests to wait on: with a deadline, never with a sleep. */
export class Inbox<T> {
  readonly all: T[] = [];
  readonly #queue: T[] = [];
  #wake: (() => void) | undefined;

  put(item: T): void {
    this.all.push(item);
    this.#queue.push(item);
    this.#wake?.();
  }

  /** The next item that fits; items before it are dropped. Rejects after `withinMs`. */
  async next<U extends T>(what: string, fits: (item: T) => item is U, withinMs = 30_000): Promise<U> {
    const deadline = Date.now() + withinMs;
    for (;;) {
      for (let item = this.#queue.shift(); item !== undefined; item = this.#queue.shift()) {
        if (fits(item)) return item;
      }
      const left = deadline - Date.now();
      if (left <= 0) throw new Error(`${what} did not come within ${withinMs} ms`);
      await this.#arrival(left);
    }
  }

  #arrival(withinMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, withinMs);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

/** Waits until a condition holds, looking every few milliseconds; throws after `withinMs`. */
export async function until(what: string, holds: () => boolean, withinMs = 30_000): Promise<void> {
  const deadline = Date.now() + withinMs;
  while (!holds()) {
    if (Date.now() > deadline) throw new Error(`${what}: not within ${withinMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** The arguments of an emitter's next event of this name; rejects after half a minute. */
export function heard(emitter: EventEmitter, event: string): Promise<unknown[]> {
  return once(emitter, event, { signal: AbortSignal.timeout(30_000) });
}
