import type { AppendOutcome, EventLog } from '@reelstream/bus';
import type { DomainEvent } from '@reelstream/events';
import type { Outbox as OutboxIndex } from '@reelstream/recording';
import type { Logger } from '@reelstream/service';
import {
  acknowledged,
  emptyProgress,
  isReleased,
  journalledThrough,
  nextVersion,
  republishFrom,
  sayAgain,
  withoutLost,
} from './core/release.ts';
import type { Positions, Progress } from './core/release.ts';

export type OutboxOptions = {
  readonly stream: Pick<EventLog, 'appendOwned' | 'republish' | 'info'>;
  /** The events in a session's journal, in order; empty if there is no journal. */
  readonly readJournal: (sessionId: string) => Promise<readonly DomainEvent[]>;
  /** Names the sessions that are not released, durably. */
  readonly index: Pick<OutboxIndex, 'add' | 'remove'>;
  readonly heard: {
    readonly positions: Positions;
    /** Generation that each server was in when it was last heard, however long ago. */
    readonly generations: ReadonlyMap<string, number>;
    readonly tick: number;
  };
  /** Database servers that must have committed an event before it may be forgotten. */
  readonly servers: readonly string[];
  /** The life of this node that writes now. */
  readonly epoch: number;
  readonly log: Logger;
  /** Most sessions with an append under way. Default 64. */
  readonly maxInFlight?: number;
  /** Pause after a journal could not be read, in milliseconds. Default 1,000. */
  readonly retryMs?: number;
};

/** Announcements come on every commit; what follows from them is looked at this often, in milliseconds. */
const sweepMs = 100;

/**
 * Brings the journals to the stream: each session's events in order, one at a time, many sessions at once. It keeps no
 * events, only how far each journal is out; nobody who records ever waits for it.
 */
export class Outbox {
  readonly #options: OutboxOptions;
  readonly #sessions = new Map<string, Progress>();
  readonly #waiting = new Set<string>();
  readonly #busy = new Set<string>();
  readonly #stopped = new AbortController();
  #sweep: NodeJS.Timeout | undefined;

  constructor(options: OutboxOptions) {
    this.#options = options;
  }

  /** Sessions that are not released yet. */
  get size(): number {
    return this.#sessions.size;
  }

  /** True while nothing that is journalled waits for the stream. */
  get idle(): boolean {
    return this.#busy.size === 0 && this.#waiting.size === 0;
  }

  /** The journal of a session holds `version` now; `complete` if none will follow. */
  journalled(sessionId: string, version: number, complete: boolean): void {
    const progress = this.#sessions.get(sessionId) ?? emptyProgress;
    this.#put(sessionId, journalledThrough(progress, version, complete));
  }

  /** Whether something of a session is on its way, or not known to be committed everywhere. */
  holds(sessionId: string): boolean {
    return this.#sessions.has(sessionId);
  }

  /** A complete journal holds one more event, `version`. Where all before were released, they needn't go out again. */
  extended(sessionId: string, version: number): void {
    const before = this.#sessions.get(sessionId) ?? this.#released(version - 1);
    this.#put(sessionId, journalledThrough(before, version, true));
  }

  /** Appends these versions of a session once more, whether it was released or not. False if there is no journal. */
  async sayAgain(sessionId: string, versions: readonly number[]): Promise<boolean> {
    const last = this.#sessions.get(sessionId)?.journalled ?? (await this.#openReleased(sessionId));
    const progress = this.#sessions.get(sessionId) ?? this.#released(last);
    if (last === 0) return false;
    this.#put(sessionId, sayAgain(journalledThrough(progress, last, progress.complete), versions));

    return true;
  }

  /** A journal that had lost an event has it again: what waits behind it can go out. */
  retry(sessionId: string): void {
    const progress = this.#sessions.get(sessionId);
    if (progress) this.#put(sessionId, progress);
  }

  /** Appends a session's events once more from `fromVersion`; of a released session, all. False if there is no journal. */
  async republish(sessionId: string, fromVersion: number): Promise<boolean> {
    const known = this.#sessions.get(sessionId);
    if (known) {
      this.#put(sessionId, republishFrom(known, fromVersion));

      return true;
    }
    const events = await this.#options.readJournal(sessionId);
    const last = events.at(-1);
    if (!last) return false;
    await this.#options.index.add(sessionId);
    const complete = last.type === 'recording.sealed' || last.type === 'recording.removed';
    this.#put(sessionId, { ...journalledThrough(emptyProgress, last.version, complete), told: last.version });

    return true;
  }

  /** A database server has spoken: what it has may be forgotten, what its stream lost goes out again. */
  positionsChanged(): void {
    this.#sweep ??= setTimeout(() => {
      this.#sweep = undefined;
      for (const [sessionId, progress] of this.#sessions) this.#review(sessionId, progress);
    }, sweepMs);
  }

  /** Waits until nothing waits for the stream any more, at most `limitMs`; then stops. */
  async close(limitMs: number): Promise<void> {
    const deadline = performance.now() + limitMs;
    while (!this.idle && performance.now() < deadline) await pause(20);
    clearTimeout(this.#sweep);
    this.#stopped.abort();
  }

  /** Of a complete journal of which every database had all. */
  #released(lastVersion: number): Progress {
    const { heard } = this.#options;
    const ack = { sequence: 0, generations: new Map(heard.generations), tick: heard.tick };
    const progress = { ...emptyProgress, acks: Array.from({ length: lastVersion }, () => ack) };

    return journalledThrough(progress, lastVersion, true);
  }

  /** The last version of a journal that was released, and is needed again; 0 where there is none. */
  async #openReleased(sessionId: string): Promise<number> {
    const last = Math.max(0, ...(await this.#options.readJournal(sessionId)).map(({ version }) => version));
    if (last > 0) await this.#options.index.add(sessionId);

    return last;
  }

  #put(sessionId: string, progress: Progress): void {
    this.#sessions.set(sessionId, progress);
    if (nextVersion(progress) === undefined) return;
    this.#waiting.add(sessionId);
    this.#pump();
  }

  #review(sessionId: string, before: Progress): void {
    const { positions } = this.#options.heard;
    let progress = before;
    for (const server of this.#options.servers) {
      const position = positions.get(server);
      if (position) progress = withoutLost(progress, position);
    }
    if (progress !== before) this.#put(sessionId, progress);
    else if (isReleased(progress, this.#options.servers, positions)) this.#release(sessionId);
  }

  #release(sessionId: string): void {
    this.#sessions.delete(sessionId);
    this.#options.index.remove(sessionId).catch((error: unknown) => {
      this.#options.log.warn({ sessionId, error }, 'outbox entry could not be removed');
    });
  }

  #pump(): void {
    const most = this.#options.maxInFlight ?? 64;
    for (const sessionId of this.#waiting) {
      if (this.#busy.size >= most || this.#stopped.signal.aborted) return;
      if (this.#busy.has(sessionId)) continue;
      this.#waiting.delete(sessionId);
      void this.#publish(sessionId);
    }
  }

  async #publish(sessionId: string): Promise<void> {
    this.#busy.add(sessionId);
    try {
      await this.#publishAll(sessionId);
    } catch (error) {
      if (this.#stopped.signal.aborted) return;
      this.#options.log.error({ sessionId, error }, 'journal could not be published, will try again');
      await pause(this.#options.retryMs ?? 1_000);
      this.#waiting.add(sessionId);
    } finally {
      this.#busy.delete(sessionId);
      this.#pump();
    }
  }

  async #publishAll(sessionId: string): Promise<void> {
    let journal: readonly DomainEvent[] = [];
    for (;;) {
      const version = nextVersion(this.#sessions.get(sessionId) ?? emptyProgress);
      if (version === undefined) return;
      const inJournal = (event: DomainEvent): boolean => event.version === version;
      if (!journal.some(inJournal)) journal = await this.#options.readJournal(sessionId);
      const event = journal.find(inJournal);
      if (!event) return this.#options.log.error({ sessionId, version }, 'journal has lost an event');
      if (!(await this.#append(sessionId, event))) return;
    }
  }

  /** False if another life of this session has taken over: then what we would say is no longer ours to say. */
  async #append(sessionId: string, event: DomainEvent): Promise<boolean> {
    const { stream, heard, log } = this.#options;
    // As of before: a generation that begins while we wait may not hold what was stored.
    const generations = new Map(heard.generations);
    const outcome = await this.#store(sessionId, event);
    if (outcome.status === 'fenced' && outcome.byEpoch > this.#options.epoch) {
      log.error(
        { sessionId, epoch: event.epoch, byEpoch: outcome.byEpoch },
        'session fenced by a newer life',
      );
      this.#sessions.delete(sessionId);

      return false;
    }
    const sequence = placeOf(outcome) ?? (await stream.info()).lastSequence;
    const progress = this.#sessions.get(sessionId);
    const ack = { sequence, generations, tick: heard.tick };
    if (progress) this.#sessions.set(sessionId, acknowledged(progress, event.version, ack));

    return true;
  }

  async #store(sessionId: string, event: DomainEvent): Promise<AppendOutcome> {
    const { stream } = this.#options;
    const told = this.#sessions.get(sessionId)?.told ?? 0;
    if (event.version > told) return stream.appendOwned(event, this.#stopped.signal);

    return { status: 'appended', ...(await stream.republish(event, this.#stopped.signal)) };
  }
}

/**
 * Undefined for what was stored before at a place not told; then it can't be past the end. An earlier life's event that
 * a later life of ours fences is stored too: the later one wrote only after it.
 */
const placeOf = (outcome: AppendOutcome): number | undefined =>
  outcome.status === 'fenced' ? undefined : outcome.sequence;

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
