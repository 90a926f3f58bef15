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
    this.#running.set(timer, setTimeout(fire, ms, this, timer));
  }

  stop(timer: TimerName): void {
    const running = this.#running.get(timer);
    if (running === undefined) return;
    clearTimeout(running);
    this.#running.delete(timer);
  }

  /** Its time has come. */
  fire(timer: TimerName): void {
    this.#running.delete(timer);
    this.#fired(timer);
  }

  stopAll(): void {
    for (const running of this.#running.values()) clearTimeout(running);
    this.#running.clear();
  }
}

function fire(timers: TimerSet, timer: TimerName): void {
  timers.fire(timer);
}
