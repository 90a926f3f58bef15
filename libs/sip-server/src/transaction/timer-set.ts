import type { TimerName } from './machine.ts';

/** The running timers of one transaction. */
export class TimerSet {
  readonly #running = new Map<TimerName, NodeJS.Timeout>();
  readonly #fired: (timer: TimerName) => void;

  constructor(fired: (timer: TimerName) => void) {
    this.#fired = fired;
  }

  start(timer: TimerName, ms: number): void {
    this.stop(timer);
    this.#running.set(
      timer,
      setTimeout(() => {
        this.#running.delete(timer);
        this.#fired(timer);
      }, ms),
    );
  }

  stop(timer: TimerName): void {
    clearTimeout(this.#running.get(timer));
    this.#running.delete(timer);
  }

  stopAll(): void {
    for (const running of this.#running.values()) clearTimeout(running);
    this.#running.clear();
  }
}
