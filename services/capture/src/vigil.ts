import { isPaused } from '@reelstream/domain';
import type { SessionRecord } from '@reelstream/domain';
import type { EndReason, SessionFlag } from '@reelstream/events';
import type { CaptureNode } from './capture-node.ts';
import { judge } from './core/liveness.ts';
import type { Signs } from './core/liveness.ts';
import type { Leg } from './leg.ts';

/** What is watched of a session. */
export type Watched = {
  readonly sessionId: string;
  readonly startedMs: number;
  readonly record: SessionRecord | undefined;
  readonly legs: ReadonlySet<Leg>;
  readonly isOver: boolean;
  flag(raised: SessionFlag): Promise<unknown>;
  stop(reason: EndReason): Promise<void>;
};

/** `setTimeout` takes no more. */
const longestWaitMs = 2 ** 31 - 1;
/** After the timer has run out the media's end is to be noticed soon. */
const soonMs = 1_000;

/** A peer that refreshes says by when; of one that leaves it to us, the SIP server says when it is gone. */
const expiryOf = ({ dialog }: Leg): number | undefined =>
  dialog?.timer?.refresher === 'peer' ? dialog.refreshedMs + dialog.timer.intervalS * 1_000 : undefined;

/**
 * Watches whether a session still lives, and ends it if it doesn't: nobody may ever hang up. Asks the receiving threads
 * only when something could be due.
 */
export class Vigil {
  readonly #node: Pick<CaptureNode, 'recorder' | 'config' | 'log'>;
  readonly #session: Watched;
  #lost: Signs['lost'];
  #next: NodeJS.Timeout | undefined;
  #looks = 0;

  constructor(node: Pick<CaptureNode, 'recorder' | 'config' | 'log'>, session: Watched) {
    this.#node = node;
    this.#session = session;
  }

  /** The SIP server gave the last dialog up. */
  lost(isTimed: boolean): void {
    this.#lost = { atMs: performance.now(), isTimed };
    this.look();
  }

  /** Looks now, and again whenever something may be due. */
  look(): void {
    clearTimeout(this.#next);
    const look = ++this.#looks;
    this.#judge().then(
      (againInMs) => {
        if (againInMs === undefined || look !== this.#looks || this.#session.isOver) return;
        this.#next = setTimeout(() => this.look(), Math.min(againInMs, longestWaitMs)).unref();
      },
      (error: unknown) => {
        const { sessionId } = this.#session;
        this.#node.log.error({ error, sessionId }, 'whether a session lives could not be told');
        if (look === this.#looks) this.#next = setTimeout(() => this.look(), soonMs).unref();
      },
    );
  }

  end(): void {
    this.#looks += 1;
    clearTimeout(this.#next);
  }

  /** Milliseconds until it is to be asked again; undefined where that was the end. */
  async #judge(): Promise<number | undefined> {
    const { mediaTimeoutMs, maxDurationMs } = this.#node.config;
    const signs = await this.#signs();
    const verdict = judge(signs, { silenceMs: mediaTimeoutMs, durationMs: maxDurationMs });
    if (verdict.kind === 'end') {
      void this.#session.stop(verdict.reason);

      return undefined;
    }
    if (verdict.hasExpired) await this.#session.flag('session-expired-with-media');
    const againInMs = Math.max(1, Math.ceil(verdict.untilMs - signs.nowMs));

    return this.#isExpired(signs) ? Math.min(againInMs, soonMs) : againInMs;
  }

  #isExpired({ expiriesMs, lost, nowMs }: Signs): boolean {
    return lost !== undefined || expiriesMs.some((expiry) => expiry !== undefined && expiry <= nowMs);
  }

  async #signs(): Promise<Signs> {
    const { sessionId, startedMs, record } = this.#session;
    const legs = [...this.#session.legs];
    const figures = await this.#node.recorder.stats(sessionId);
    const arrivals = figures.flatMap(({ lastPacketAt }) =>
      lastPacketAt === undefined ? [] : [Date.parse(lastPacketAt)],
    );
    const nowMs = performance.now();
    const lines = legs.flatMap((leg) => leg.lines);
    const isHeld = lines.length > 0 && lines.every(({ isActive }) => !isActive);

    return {
      nowMs,
      startedMs,
      lastPacketMs: arrivals.length === 0 ? undefined : nowMs - (Date.now() - Math.max(...arrivals)),
      lastSignalMs: Math.max(startedMs, ...legs.map(({ heardMs }) => heardMs)),
      expiriesMs: legs.map(expiryOf),
      lost: legs.length === 0 ? this.#lost : undefined,
      isQuiet: isHeld || isPaused(record?.tags ?? []),
    };
  }
}
