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

/** The session events of a journal, in order. What this version doesn't know is left where it is. */
export const sessionEvents = (events: readonly RawEvent[]): readonly SessionEvent[] =>
  events.flatMap((raw) => {
    const understood = understand(raw);

    return understood.status === 'known' && isSessionEvent(understood.event) ? [understood.event] : [];
  });

/**
 * One session's journal with the state that follows from it: a command is decided, what follows is journalled, durably,
 * and only then it has happened. Commands take their turns.
 */
export class Ledger {
  readonly #journal: Journal;
  readonly #writer: Writer;
  readonly #onJournalled: (event: SessionEvent) => void;
  #record: SessionRecord | undefined;
  #turn: Promise<unknown> = Promise.resolve();

  /** Goes on from what the journal holds. `onJournalled` hears of each new event. */
  constructor(journal: Journal, writer: Writer, onJournalled: (event: SessionEvent) => void) {
    this.#journal = journal;
    this.#writer = writer;
    this.#onJournalled = onJournalled;
    for (const event of sessionEvents(journal.events)) this.#record = evolveSession(this.#record, event);
  }

  /** The session as its journal tells it; undefined before it has started. */
  get record(): SessionRecord | undefined {
    return this.#record;
  }

  get journal(): Journal {
    return this.#journal;
  }

  /** Resolves with the events that followed, durable now. Throws JournalWriteError; nothing has happened then. */
  execute(
    command: (stamp: Stamp, record: SessionRecord | undefined) => Command,
  ): Promise<readonly SessionEvent[]> {
    const turn = this.#turn.then(() => this.#execute(command));
    this.#turn = turn.catch(() => undefined);

    return turn;
  }

  async close(): Promise<void> {
    await this.#turn;
    await this.#journal.close();
  }

  async #execute(
    command: (stamp: Stamp, record: SessionRecord | undefined) => Command,
  ): Promise<readonly SessionEvent[]> {
    const stamp = { ...this.#writer, id: freshId(), time: new Date().toISOString() };
    const events = decide(this.#record, command(stamp, this.#record));
    if (events.length > 0) await this.#journal.append(events);
    for (const event of events) {
      this.#record = evolveSession(this.#record, event);
      this.#onJournalled(event);
    }

    return events;
  }
}
