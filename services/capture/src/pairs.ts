import { pairSessionsMaxAgeMs } from '@reelstream/events';
import type { LiveSession } from './live-session.ts';

/** Which of the two dialogs of a call an INVITE opens. */
export type LegOfPair = {
  /** The same for both legs. */
  readonly key: string;
  readonly trackNumber: number;
  /** The session before, if this leg opens one for a call that had one already. */
  readonly continues?: string | undefined;
};

type Open = {
  readonly session: LiveSession;
  /** Sides that have come, whether or not they are still there. */
  readonly taken: Set<number>;
};

/** What a node remembers of calls that were: some megabytes at most. */
const mostRemembered = 20_000;

/** Who is refused one leg is refused the other: else the legs of a call would find different homes. */
const refusedForMs = 1_000;

/** The sessions of calls that come in two dialogs, by pairing key. Times are monotonic milliseconds. */
export class Pairs {
  readonly #open = new Map<string, Open>();
  readonly #whole = new WeakSet<LiveSession>();
  readonly #turns = new Map<string, Promise<void>>();
  readonly #refused = new Map<string, number>();
  readonly #last = new Map<string, { readonly sessionId: string; readonly at: number }>();

  /** Legs of one call are taken one after the other, even if they come in the same moment. */
  async inTurn(key: string, action: () => Promise<void>): Promise<void> {
    const turn = (this.#turns.get(key) ?? Promise.resolve()).then(action);
    const settled = turn.catch(() => undefined);
    this.#turns.set(key, settled);
    try {
      await turn;
    } finally {
      if (this.#turns.get(key) === settled) this.#turns.delete(key);
    }
  }

  /**
   * The session that waits for this leg; none if its side has come already, or the session is over, or about to be: its
   * dialog has ended, and what was agreed in it is still being journalled.
   */
  waitingFor({ key, trackNumber }: LegOfPair): LiveSession | undefined {
    const open = this.#open.get(key);

    if (!open || open.taken.has(trackNumber)) return undefined;

    return open.session.isOver || open.session.legs.size === 0 ? undefined : open.session;
  }

  /** A session for this leg and, should it come, the other. One with the same key waits no longer. */
  opened({ key, trackNumber }: LegOfPair, session: LiveSession): void {
    this.#open.set(key, { session, taken: new Set([trackNumber]) });
  }

  joined({ key, trackNumber }: LegOfPair): void {
    const open = this.#open.get(key);
    open?.taken.add(trackNumber);
    if (open) this.#whole.add(open.session);
  }

  /** Whether both legs have come, also where the call has a session after it by now. */
  isWhole(session: LiveSession): boolean {
    return this.#whole.has(session);
  }

  /** The last session of a call here, as long as it runs and for an hour after it has ended. */
  lastOf(key: string, now: number): string | undefined {
    const running = this.#open.get(key)?.session;
    if (running) return running.sessionId;
    const last = this.#last.get(key);

    return last && now - last.at < pairSessionsMaxAgeMs ? last.sessionId : undefined;
  }

  /** Notes the session of a call, when it begins and when it is over. */
  remember(key: string, sessionId: string, now: number): void {
    this.#last.delete(key);
    this.#last.set(key, { sessionId, at: now });
    for (const oldest of this.#last.keys()) {
      if (this.#last.size <= mostRemembered) break;
      this.#last.delete(oldest);
    }
  }

  /** Returns whether this was the session that stands for the key. */
  closed({ key }: LegOfPair, session: LiveSession): boolean {
    return this.#open.get(key)?.session === session && this.#open.delete(key);
  }

  refuse(key: string, now: number): void {
    for (const [oldest, until] of this.#refused) {
      if (until > now) break;
      this.#refused.delete(oldest);
    }
    this.#refused.set(key, now + refusedForMs);
  }

  isRefused(key: string, now: number): boolean {
    return (this.#refused.get(key) ?? 0) > now;
  }
}
