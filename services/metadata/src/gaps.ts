import type { Bus } from '@reelstream/bus';
import { commandSubject, freshId } from '@reelstream/events';
import type { Command } from '@reelstream/events';
import type { Logger } from '@reelstream/service';
import type { Gap } from './core/fold.ts';

const lookIntervalMs = 500;
const replyLimitMs = 5_000;
const firstPauseMs = 2_000;
const longestPauseMs = 300_000;

type Chased = { gap: Gap; dueAt: number; pauseMs: number };

/** Asks homes to republish what sessions miss, again and again at growing intervals, until it has come. */
export class GapChaser implements Disposable {
  readonly #bus: Bus;
  readonly #log: Logger;
  readonly #chased = new Map<string, Chased>();
  readonly #timer: NodeJS.Timeout;

  constructor(bus: Bus, log: Logger) {
    this.#bus = bus;
    this.#log = log;
    this.#timer = setInterval(() => this.#look(), lookIntervalMs);
  }

  /** Sessions that miss versions now. */
  get count(): number {
    return this.#chased.size;
  }

  /** Takes note of what a commit found. */
  note(gaps: readonly Gap[], whole: readonly string[]): void {
    for (const sessionId of whole) this.#chased.delete(sessionId);
    for (const gap of gaps) {
      const before = this.#chased.get(gap.sessionId);
      if (before?.gap.fromVersion === gap.fromVersion) continue;
      this.#log.warn({ ...gap }, 'session.gap');
      this.#chased.set(gap.sessionId, { gap, dueAt: performance.now(), pauseMs: firstPauseMs });
    }
    if (gaps.length > 0) this.#look();
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    const now = performance.now();
    for (const chased of this.#chased.values()) {
      if (chased.dueAt > now || !this.#bus.connected) continue;
      chased.dueAt = now + chased.pauseMs;
      chased.pauseMs = Math.min(chased.pauseMs * 2, longestPauseMs);
      void this.#ask(chased.gap);
    }
  }

  async #ask({ sessionId, home, fromVersion }: Gap): Promise<void> {
    const command: Command = {
      commandId: freshId(),
      deadline: new Date(Date.now() + replyLimitMs).toISOString(),
      command: { name: 'republish', sessionId, fromVersion },
    };
    try {
      await this.#bus.request(commandSubject(home), command, replyLimitMs);
    } catch (error) {
      this.#log.debug({ sessionId, home, error }, 'republish was not answered');
    }
  }
}
