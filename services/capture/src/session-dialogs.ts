import type { EndReason } from '@reelstream/events';
import type { Logger } from '@reelstream/service';
import type { Leg } from './leg.ts';
import type { Dialogs } from './session-notes.ts';

/** The dialogs of one session: those that stand, and those that are about to. */
export class SessionDialogs {
  readonly standing = new Set<Leg>();
  readonly #expected = new Set<Leg>();
  /** The one that ended last: what has come of its media is heard behind it. */
  #gone: Leg | undefined;
  /** Why the dialog ended that ended last. */
  lastReason: EndReason = 'stopped';
  #holds = 0;

  /** What the journal keeps of them. */
  get state(): Dialogs {
    const legs = [...this.standing, ...this.#expected].map(({ state }) => state);

    return { legs, lastReason: this.lastReason };
  }

  /** The one that a track is recorded in. */
  of(trackNumber: number): Leg | undefined {
    const legs = [...this.standing, ...this.#expected, ...(this.#gone ? [this.#gone] : [])];

    return legs.find(({ lines }) => lines.some((line) => line.trackNumber === trackNumber));
  }

  /** None stands, and nobody holds the session for one that may join. */
  get isLeft(): boolean {
    return this.standing.size === 0 && this.#holds === 0;
  }

  expect(leg: Leg): Disposable {
    this.#expected.add(leg);

    return { [Symbol.dispose]: () => void this.#expected.delete(leg) };
  }

  stands(leg: Leg): void {
    this.#expected.delete(leg);
    this.standing.add(leg);
  }

  ended(leg: Leg, reason: EndReason): void {
    this.#expected.delete(leg);
    this.standing.delete(leg);
    this.#gone = leg;
    this.lastReason = reason;
  }

  /** Until it is disposed of, the session isn't left; then `released` is called. */
  hold(released: () => void): Disposable {
    this.#holds += 1;

    return {
      [Symbol.dispose]: () => {
        this.#holds -= 1;
        released();
      },
    };
  }

  hangUp(log: Logger): void {
    for (const { dialog } of this.standing)
      dialog?.bye().catch((error: unknown) => log.warn({ error }, 'BYE failed'));
  }
}
