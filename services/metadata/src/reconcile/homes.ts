import { BusError } from '@reelstream/bus';
import type { Bus } from '@reelstream/bus';
import { JournalledReply, JournalsReply, querySubject } from '@reelstream/events';
import type { JournalledQuery, JournalsQuery, JournalSummary, RawEvent } from '@reelstream/events';
import { Compile } from 'typebox/compile';

const validJournals = Compile(JournalsReply);
const validJournalled = Compile(JournalledReply);

/** Media may be read for it. */
const replyLimitMs = 60_000;
const journalsAtOnce = 100;

/** A session's folder, and the home that tells of it. */
export type Foldered = { readonly home: string; readonly journal: JournalSummary };

/** The homes that are alive, as far as they can be asked. One that fails to answer is away from then on. */
export class Homes {
  readonly #bus: Bus;
  readonly #alive: Set<string>;
  readonly #media: boolean;

  /** `media`: homes read all of their media, and compare it with its hashes. */
  constructor(bus: Bus, alive: readonly string[], media: boolean) {
    this.#bus = bus;
    this.#alive = new Set(alive);
    this.#media = media;
  }

  get alive(): readonly string[] {
    return [...this.#alive];
  }

  isAlive(home: string): boolean {
    return this.#alive.has(home);
  }

  /** What is in a home's folders behind a session; nothing where it is away. */
  async journalsAfter(home: string, after: string): Promise<JournalsReply> {
    const from = after === '' ? {} : { after };
    const reply = await this.#ask(home, {
      name: 'journals',
      ...from,
      limit: journalsAtOnce,
      media: this.#media,
    });

    return validJournals.Check(reply) ? reply : this.#lose(home, { journals: [] });
  }

  async journalOf(home: string, sessionId: string): Promise<JournalSummary | undefined> {
    const query = { name: 'journals', only: sessionId, limit: 1, media: this.#media } as const;
    const reply = await this.#ask(home, query);

    return validJournals.Check(reply) ? reply.journals[0] : this.#lose(home, undefined);
  }

  /** Events of a journal; fewer than asked where they are too many for a message. */
  async eventsOf(home: string, sessionId: string, versions: readonly number[]): Promise<readonly RawEvent[]> {
    const reply = await this.#ask(home, { name: 'journalled', sessionId, versions: [...versions] });

    return validJournalled.Check(reply) ? reply.events : [];
  }

  async #ask(home: string, query: JournalsQuery | JournalledQuery): Promise<unknown> {
    if (!this.#alive.has(home)) return undefined;
    try {
      return await this.#bus.request(querySubject(home), query, replyLimitMs);
    } catch (error) {
      if (error instanceof BusError) return undefined;
      throw error;
    }
  }

  #lose<T>(home: string, otherwise: T): T {
    this.#alive.delete(home);

    return otherwise;
  }
}
