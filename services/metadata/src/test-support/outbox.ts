import type { Bus } from '@reelstream/bus';
import { familyOf, positionSubject } from '@reelstream/events';
import type { DomainEvent, PositionAnnouncement } from '@reelstream/events';

/**
 * A producer that does as homes do: it keeps each event until the database has committed past it, and appends again what a
 * new generation of the stream no longer holds.
 */
export class Outbox implements Disposable {
  readonly #bus: Bus;
  readonly #kept = new Map<string, { event: DomainEvent; sequence: number; generation: number }>();
  readonly #forget: () => void;
  #generation = 1;
  #work: Promise<void> = Promise.resolve();

  constructor(bus: Bus, server = 'primary') {
    this.#bus = bus;
    this.#forget = bus.subscribe(positionSubject(server), ({ data }) =>
      this.#heard(data as PositionAnnouncement),
    );
  }

  /** Ids of events that the database has not said to have. */
  get kept(): readonly string[] {
    return [...this.#kept.keys()];
  }

  /** Appends events one after the other, and keeps them. */
  append(events: readonly DomainEvent[]): Promise<void> {
    return this.#then(async () => {
      for (const event of events) await this.#append(event);
    });
  }

  [Symbol.dispose](): void {
    this.#forget();
  }

  #then(work: () => Promise<void>): Promise<void> {
    this.#work = this.#work.then(work);

    return this.#work;
  }

  async #append(event: DomainEvent): Promise<void> {
    const owned = familyOf(event.type) === 'session' || familyOf(event.type) === 'recording';
    const stored = owned
      ? await this.#bus.events.appendOwned(event)
      : await this.#bus.events.appendShared(event);
    const sequence = 'sequence' in stored ? (stored.sequence ?? 0) : 0;
    this.#kept.set(event.id, { event, sequence, generation: this.#generation });
  }

  #heard({ generation, sequence, base }: PositionAnnouncement): void {
    if (generation > this.#generation) {
      this.#generation = generation;
      const gone = [...this.#kept.values()].filter((kept) => kept.sequence > base);
      void this.#then(async () => {
        for (const { event } of gone) await this.#append(event);
      });
    }
    for (const [id, kept] of this.#kept)
      if (kept.generation === generation && kept.sequence <= sequence) this.#kept.delete(id);
  }
}
