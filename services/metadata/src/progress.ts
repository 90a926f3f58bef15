import { positionSubject } from '@reelstream/events';
import type { PositionAnnouncement } from '@reelstream/events';
import type { Bus } from '@reelstream/bus';
import type { StoredPosition } from './adapters/position.ts';
import type { DatabaseState } from './core/health.ts';

/** Further behind than this is catching up. */
const nearlyThere = 500;
const announceIntervalMs = 1_000;

/** How far this server has committed: told to the bus on every change and once a second, and to whoever waits here. */
export class Progress implements Disposable {
  readonly #bus: Bus;
  readonly #server: string;
  readonly #waiting = new Set<() => void>();
  readonly #timer: NodeJS.Timeout;
  #position: StoredPosition | undefined;
  #behind: number | undefined;
  #reached = false;
  #away = false;
  /** Events a second while catching up, smoothed. */
  #rate = 0;
  #changedAt = performance.now();

  constructor(bus: Bus, server: string) {
    this.#bus = bus;
    this.#server = server;
    this.#timer = setInterval(() => this.#announce(), announceIntervalMs);
  }

  get position(): StoredPosition | undefined {
    return this.#position;
  }

  /** Events in the stream that are not committed yet, as it was last heard; undefined until the stream has been asked. */
  get behind(): number | undefined {
    return this.#behind;
  }

  get state(): DatabaseState {
    if (this.#away) return 'AWAY';
    if (!this.#reached) return 'STARTING';

    return this.#behind !== undefined && this.#behind <= nearlyThere ? 'READY' : 'CATCHING_UP';
  }

  /** Seconds until it has caught up, at the rate so far; undefined where there is nothing to catch up or no rate yet. */
  get estimatedSeconds(): number | undefined {
    if (this.state !== 'CATCHING_UP' || this.#behind === undefined || this.#rate <= 0) return undefined;

    return Math.ceil(this.#behind / this.#rate);
  }

  /** The database answers, and has committed up to here; how far the stream is ahead is not known yet. */
  reached(position: StoredPosition): void {
    this.#position = position;
    this.#reached = true;
    this.#away = false;
  }

  /** The database has committed up to here; `behind` events are in the stream after it. */
  committed(position: StoredPosition, behind: number): void {
    const seconds = (performance.now() - this.#changedAt) / 1_000;
    const events = position.sequence - (this.#position?.sequence ?? position.sequence);
    if (events > 0 && seconds > 0) this.#rate = this.#rate * 0.8 + (events / seconds) * 0.2;
    this.#changedAt = performance.now();
    this.reached(position);
    this.#behind = behind;
    this.#announce();
    for (const wake of this.#waiting) wake();
  }

  /** The stream is this far ahead of what is committed. */
  fellBehind(behind: number): void {
    this.#behind = behind;
  }

  away(): void {
    this.#away = true;
  }

  /** Calls back after every commit. Returns the function that ends it. */
  onCommit(listener: () => void): () => void {
    this.#waiting.add(listener);

    return () => void this.#waiting.delete(listener);
  }

  /** Resolves at the next commit, or after `timeoutMs`. */
  nextCommit(timeoutMs: number): Promise<void> {
    return new Promise((resolve) => {
      const finish = (): void => {
        clearTimeout(timer);
        forget();
        resolve();
      };
      const timer = setTimeout(finish, timeoutMs);
      const forget = this.onCommit(finish);
    });
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    for (const wake of this.#waiting) wake();
  }

  #announce(): void {
    if (!this.#position || this.#behind === undefined) return;
    const { generation, sequence, base } = this.#position;
    const announcement: PositionAnnouncement = {
      server: this.#server,
      generation,
      sequence,
      base,
      behind: this.#behind,
    };
    this.#bus.publish(positionSubject(this.#server), announcement);
  }
}
