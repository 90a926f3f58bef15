import { setTimeout as sleep } from 'node:timers/promises';
import { BusError, formatPosition } from '@reelstream/bus';
import type { Batch, Bus } from '@reelstream/bus';
import type { Logger } from '@reelstream/service';
import { isDataError } from '@reelstream/store';
import type { Store } from '@reelstream/store';
import { PositionMovedError, readPosition } from './adapters/position.ts';
import type { StoredPosition } from './adapters/position.ts';
import { commitBatch } from './commit.ts';
import type { Committed } from './commit.ts';
import type { GapChaser } from './gaps.ts';
import { releaseHeld } from './held.ts';
import type { Progress } from './progress.ts';
import type { SlowFactMirror } from './slow-facts.ts';
import { repairStream } from './repair.ts';
import { checkStream, rewind } from './rewind.ts';
import type { Loss } from './core/loss.ts';

export type ApplyOptions = {
  readonly store: Store;
  readonly bus: Bus;
  readonly progress: Progress;
  readonly gaps: GapChaser;
  readonly slowFacts: SlowFactMirror;
  readonly log: Logger;
  readonly server: string;
  readonly source: string;
  readonly epoch: number;
  /** Most events in one transaction. Default 500. */
  readonly maxEvents?: number;
};

const firstPauseMs = 100;
const longestPauseMs = 2_000;
/** How long a commit that has begun may take when the service ends. */
const lastCommitMs = 2_000;

/**
 * Applies the stream to the database, from the stored position on, as long as it runs: whatever goes away comes back, and
 * nothing in the stream stops it.
 */
export class Applier implements AsyncDisposable {
  readonly #options: ApplyOptions;
  readonly #ended = new AbortController();
  #running: Promise<void> | undefined;
  #repairing: Promise<void> = Promise.resolve();
  /** A hole that the reader met, to be passed at the next start. */
  #hole: Loss | undefined;
  #trouble = '';

  constructor(options: ApplyOptions) {
    this.#options = options;
  }

  start(): void {
    this.#running ??= this.#run();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ended.abort();
    // Calls that wait for a bus that is away end with the bus, which is closed after us.
    await Promise.race([Promise.all([this.#running, this.#repairing]), sleep(lastCommitMs)]);
  }

  async #run(): Promise<void> {
    const { signal } = this.#ended;
    for (let pauseMs = firstPauseMs; !signal.aborted; pauseMs = Math.min(pauseMs * 2, longestPauseMs)) {
      try {
        for await (const batchSize of this.#life()) if (batchSize > 0) pauseMs = firstPauseMs;
      } catch (error) {
        this.#judge(error);
      }
      await sleep(pauseMs, undefined, { signal }).catch(() => undefined);
    }
  }

  /** One life of the loop: from the stored position until something goes away. Yields the size of each batch. */
  async *#life(): AsyncGenerator<number, void, undefined> {
    const { store, bus, progress, server, maxEvents } = this.#options;
    const { signal } = this.#ended;
    await store.migrate();
    progress.reached(await readPosition(store.db, server));
    await bus.events.ensure();
    let position = await this.#begin();
    await this.#options.slowFacts.reload();
    let repaired = false;
    if (progress.behind === 0) repaired = this.#repair(position);

    const { anchor, sequence: after } = position;
    const from = anchor ? { after, anchor } : { after };
    for await (const batch of bus.events.read({ ...from, signal, maxEvents: maxEvents ?? 500 })) {
      position = await this.#commit(position, batch);
      if (batch.pending === 0 && !repaired) repaired = this.#repair(position);
      yield batch.events.length;
    }
  }

  /** Finds the place to read on from: the stored one, if the stream still agrees with it. */
  async #begin(): Promise<StoredPosition> {
    const { store, bus, progress, gaps, log, server } = this.#options;
    let position = await readPosition(store.db, server);
    let { loss, behind } = await checkStream(bus, position);
    loss ??= this.#hole;
    if (loss) {
      const from = formatPosition(position);
      position = await rewind({ store, bus, server }, position, loss);
      ({ behind } = await checkStream(bus, position));
      log.error({ from, common: formatPosition(position), cause: loss }, 'position.rewound');
    }
    this.#hole = undefined;
    try {
      gaps.note(await releaseHeld({ store, server }, position), []);
    } catch (error) {
      if (!isDataError(error)) throw error;
      log.error({ error }, 'held events could not be applied');
    }
    progress.committed(position, behind);
    if (this.#trouble !== '') log.info({ position: formatPosition(position) }, 'applying again');
    this.#trouble = '';

    return position;
  }

  async #commit(from: StoredPosition, batch: Batch): Promise<StoredPosition> {
    const { store, server, progress } = this.#options;
    let position = from;
    for await (const committed of commitBatch({ store, server }, from, batch)) {
      position = committed.position;
      progress.committed(position, batch.pending + batch.through - position.sequence);
      this.#note(committed);
    }

    return position;
  }

  #note({ parked, gaps, whole, applied, position, slowFacts }: Committed): void {
    const { log } = this.#options;
    for (const { sequence, subject, reason } of parked) log.error({ sequence, subject, reason }, 'parked');
    this.#options.gaps.note(gaps, whole);
    this.#options.slowFacts.note(slowFacts, position.generation);
    log.debug({ applied, position: formatPosition(position) }, 'committed');
  }

  /** In the background: reading goes on meanwhile, and what is appended comes back by it. */
  #repair(position: StoredPosition): true {
    const { log } = this.#options;
    const { signal } = this.#ended;
    this.#repairing = repairStream({ ...this.#options, signal }, position).then(
      (appended) => void (appended > 0 && log.warn({ appended }, 'stream.repaired')),
      (error: unknown) =>
        void (signal.aborted || log.warn({ error }, 'the stream could not be repaired yet')),
    );

    return true;
  }

  /** Says once what keeps it from applying. The next life begins with all checks. */
  #judge(error: unknown): void {
    const { log, progress, bus, store } = this.#options;
    if (this.#ended.signal.aborted || error instanceof PositionMovedError) return;
    if (error instanceof BusError && error.code === 'BUS_SEQUENCE_LOST') {
      // Other losses are seen again at the start of the next life; a hole in the middle is not.
      if (error.loss === 'gap') this.#hole = error.loss;

      return;
    }
    store.ping().catch(() => progress.away());
    const position = progress.position;
    if (bus.connected && position)
      void checkStream(bus, position).then(
        ({ behind }) => progress.fellBehind(behind),
        () => undefined,
      );
    const trouble = error instanceof Error ? error.message : String(error);
    if (trouble !== this.#trouble) log.warn({ error }, 'not applying: trying again');
    this.#trouble = trouble;
  }
}
