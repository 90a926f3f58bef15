import { openJournal, readJournal } from '@reelstream/recording';
import type { Journal } from '@reelstream/recording';
import { decryptSecret, encryptSecret } from '@reelstream/service';
import type { Secret } from '@reelstream/service';
import type { LegState } from './leg-state.ts';
import { Leg } from './leg.ts';

type Kept = { readonly leg: LegState; readonly hadSession: boolean };

/** So many notes, a dialog's being some kilobytes, until the journal is written anew. */
const notesBetween = 1_000;

/**
 * Dialogs of recording sessions that have no communication session just now. There is no session of ours to keep them, so the
 * node has a journal for them, with the latest of each; it is written anew at every start, and now and then.
 */
export class IdleDialogs {
  readonly #journal: Journal;
  readonly #clusterKey: Secret;
  readonly #legs = new Map<string, Leg>();
  /** Those that have had a session: it has told of them. */
  readonly #hadSession = new WeakSet<Leg>();
  #notes = 0;

  private constructor(journal: Journal, clusterKey: Secret) {
    this.#journal = journal;
    this.#clusterKey = clusterKey;
  }

  /** Takes over those of an earlier life. Throws Node's error where the folder can't be written. */
  static async open(folder: string, clusterKey: Secret): Promise<IdleDialogs> {
    const { notes } = await readJournal(folder);
    const kept = Object.values(notes).map(
      (note) => JSON.parse(decryptSecret(clusterKey, String(note))) as Kept,
    );
    const journal = await openJournal(folder);
    await journal.renew();
    const idle = new IdleDialogs(journal, clusterKey);
    for (const { leg: state, hadSession } of kept) {
      const leg = new Leg(state);
      idle.#legs.set(leg.id, leg);
      if (hadSession) idle.#hadSession.add(leg);
    }

    return idle;
  }

  [Symbol.iterator](): Iterator<Leg> {
    return this.#legs.values();
  }

  hadSession(leg: Leg): boolean {
    return this.#hadSession.has(leg);
  }

  /** It waits, as it is now; durable when it resolves. */
  async keep(leg: Leg, hadSession = this.hadSession(leg)): Promise<void> {
    this.#legs.set(leg.id, leg);
    if (hadSession) this.#hadSession.add(leg);
    const kept: Kept = { leg: leg.state, hadSession };
    await this.#journal.note(leg.id, encryptSecret(this.#clusterKey, JSON.stringify(kept)));
    this.#tidy();
  }

  /** It waits no longer: it has a session that keeps it, or is over. Never rejects. */
  async drop(leg: Leg): Promise<void> {
    if (this.#legs.get(leg.id) !== leg) return;
    this.#legs.delete(leg.id);
    // Should it not be written, a later life finds a dialog that nobody knows.
    await this.#journal.jot(leg.id, null).catch(() => undefined);
    this.#tidy();
  }

  #tidy(): void {
    if (++this.#notes % notesBetween === 0) this.#journal.renew().catch(() => undefined);
  }
}
