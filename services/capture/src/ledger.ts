import { evolveSession, isSessionEvent } from '@reelstream/domain';
import type { SessionEvent, SessionRecord } from '@reelstream/domain';
import { freshId, understand } from '@reelstream/events';
import type { RawEvent } from '@reelstream/events';
import type { Journal } from '@reelstream/recording';
import { decide } from './core/decide.ts';
import type { Command, Stamp } from './core/decide.ts';

export type Writer = {
  /** CloudEvents source, `/<cluster>/<node>`. */
  readonly source: string;
  readonly epoch: number;
};

/** What is kept beside the events, for a later life of the node. */
export type Notes = {
  /** What is not as it was written last; `kept` is to be called once it is. */
  changed(): { readonly notes: Readonly<Record<string, unknown>>; readonly kept: () => void };
};

const noNotes: Notes = { changed: () => ({ notes: {}, kept: () => undefined }) };

/** The session events of a journal, in order. What this version doesn't know is left where it is. */
export const sessionEvents = (events: readonly RawEvent[]): readonly SessionEvent[] =>
  events.flatMap((raw) => {
    const understood = understand(raw);

    return understood.status === 'known' && isSessionEvent(understood.event) ? [understood.event] : [];
  });

const recordIn = ({ events }: Journal): SessionRecord | undefined =>
  sessionEvents(events).reduce<SessionRecord | undefined>(evolveSession, undefined);

/**
 * One session's journal with the state that follows from it: a command is decided, what follows is journalled, durably,
 * and only then it has happened. Commands take their turns.
 */
export class Ledger {
  readonly #journal: Journal;
  readonly #writer: Writer;
  readonly #onJournalled: (event: SessionEvent) => void;
  readonly #notes: Notes;
  #record: SessionRecord | undefined;
  #turn: Promise<unknown> = Promise.resolve();

  /** Goes on from what the journal holds. `onJournalled` hears of each new event; `notes` go with it in one write. */
  constructor(
    journal: Journal,
    writer: Writer,
    onJournalled: (event: SessionEvent) => void,
    notes: Notes = noNotes,
  ) {
    this.#journal = journal;
    this.#notes = notes;
    this.#writer = writer;
    this.#onJournalled = onJournalled;
    this.#record = recordIn(journal);
  }

  /** The session as its journal tells it; undefined before it has started. */
  get record(): SessionRecord | undefined {
    return this.#record;
  }

  get journal(): Journal {
    return this.#journal;
  }

  /**
   * Resolves with the events that followed, durable now, as are the notes and what is to be kept `beside` them, whether or not
   * anything followed. Throws JournalWriteError; nothing has happened then.
   */
  execute(
    command: (stamp: Stamp, record: SessionRecord | undefined) => Command,
    beside: Readonly<Record<string, unknown>> = {},
  ): Promise<readonly SessionEvent[]> {
    return this.#inTurn(() => this.#execute(command, beside));
  }

  /**
   * Puts what `find` finds into the journal, events that it has lost: what is decided from now on follows from them, too. Throws
   * JournalWriteError.
   */
  restore(find: () => Promise<readonly RawEvent[]>): Promise<void> {
    return this.#inTurn(async () => {
      await this.#journal.renew(await find());
      this.#record = recordIn(this.#journal);
    });
  }

  /** Writes the notes that have changed: they survive the process, and the power once something else is journalled. */
  jot(): Promise<void> {
    return this.#inTurn(async () => {
      const { notes, kept } = this.#notes.changed();
      const written = Object.entries(notes).map(([name, value]) => this.#journal.jot(name, value));
      await Promise.all(written);
      kept();
    });
  }

  async close(): Promise<void> {
    await this.#turn;
    await this.#journal.close();
  }

  #inTurn<T>(action: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(action);
    this.#turn = turn.catch(() => undefined);

    return turn;
  }

  async #execute(
    command: (stamp: Stamp, record: SessionRecord | undefined) => Command,
    beside: Readonly<Record<string, unknown>>,
  ): Promise<readonly SessionEvent[]> {
    const stamp = { ...this.#writer, id: freshId(), time: new Date().toISOString() };
    const events = decide(this.#record, command(stamp, this.#record));
    const { notes: changed, kept } = this.#notes.changed();
    const notes = { ...changed, ...beside };
    if (events.length > 0 || Object.keys(notes).length > 0) await this.#journal.append(events, notes);
    kept();
    for (const event of events) {
      this.#record = evolveSession(this.#record, event);
      this.#onJournalled(event);
    }

    return events;
  }
}
