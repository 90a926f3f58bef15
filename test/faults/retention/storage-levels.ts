import { setTimeout as sleep } from 'node:timers/promises';
import type { StorageLevel } from '@reelstream/events';
import type { System } from '../../support/system.ts';
import { storageOf } from '../support/storage.ts';

const everyMs = 200;

/** What a system says of its disk, as long as it is looked at. */
export class StorageLevels implements AsyncDisposable {
  /** Each as it came, two that follow each other differ. */
  readonly levels: StorageLevel[] = [];
  /** Of the disk, since it was critical for the first time. */
  leastPercent = 100;
  mostPercent = 0;
  #isOver = false;
  readonly #looking: Promise<void>;

  constructor(system: System) {
    this.#looking = this.#look(system);
    // Whoever ends it hears of it.
    this.#looking.catch(() => undefined);
  }

  get isCritical(): boolean {
    return this.levels.at(-1) === 'CRITICAL';
  }

  /** How often it was critical, and was no more without having been full. */
  get freed(): number {
    return this.levels.filter((level, at) => level === 'LOW' && this.levels[at - 1] === 'CRITICAL').length;
  }

  /** How often it was full. */
  get full(): number {
    return this.levels.filter((level) => level === 'EMERGENCY').length;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isOver = true;
    await this.#looking;
  }

  async #look(system: System): Promise<void> {
    for (; !this.#isOver; await sleep(everyMs)) {
      const storage = await storageOf(system);
      if (!storage) continue;
      const { level, usedPercent } = storage;
      if (level !== this.levels.at(-1)) this.levels.push(level);
      if (!this.levels.includes('CRITICAL')) continue;
      this.leastPercent = Math.min(this.leastPercent, usedPercent);
      this.mostPercent = Math.max(this.mostPercent, usedPercent);
    }
  }
}
