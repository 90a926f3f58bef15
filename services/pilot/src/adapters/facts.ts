import type { EventLog } from '@reelstream/bus';
import { freshId, mintEvent } from '@reelstream/events';
import type { DataOf, DomainEvent } from '@reelstream/events';
import type { Logger, Meters } from '@reelstream/service';

export type FactType =
  | 'attempt.refused'
  | 'attempt.cancelled'
  | 'attempt.lost'
  | 'node.started'
  | 'node.stopped';

export type Author = {
  readonly clusterId: string;
  readonly nodeId: string;
  readonly epoch: number;
  /** The database server that generates what is said now. */
  readonly origin: () => string;
};

/** With the bus away for long, the oldest are dropped and counted: SIP goes on whatever happens to its history. */
const mostWaiting = 10_000;

/** What this pilot has to say on the stream: in order, in the background, never in the way of a call. */
export class Facts implements AsyncDisposable {
  readonly #log: Pick<EventLog, 'appendShared'>;
  readonly #author: Author;
  readonly #logger: Logger;
  readonly #meters: Meters;
  readonly #waiting: DomainEvent[] = [];
  readonly #stopped = new AbortController();
  #sending: Promise<void> | undefined;

  constructor(
    log: Pick<EventLog, 'appendShared'>,
    author: Author,
    into: { readonly logger: Logger; readonly meters: Meters },
  ) {
    this.#log = log;
    this.#author = author;
    this.#logger = into.logger;
    this.#meters = into.meters;
  }

  /** Writes one log line and queues the event. Never waits, never throws. */
  say<T extends FactType>(type: T, data: DataOf<T>): void {
    this.#logger.info({ ...data }, type);
    this.#meters.count(type);
    const { clusterId, nodeId, epoch, origin } = this.#author;
    const event = mintEvent({
      type,
      id: freshId(),
      time: new Date().toISOString(),
      source: `/${clusterId}/${nodeId}`,
      subject: nodeId,
      origin: origin(),
      version: 1,
      epoch,
      data,
    });
    this.#waiting.push(event);
    if (this.#waiting.length > mostWaiting) {
      this.#waiting.shift();
      this.#meters.count('fact.dropped', type);
    }
    this.#sending ??= this.#send();
  }

  /** Gives what waits one second to go out. */
  async [Symbol.asyncDispose](): Promise<void> {
    const timer = setTimeout(() => this.#stopped.abort(), 1_000);
    await this.#sending;
    clearTimeout(timer);
    this.#stopped.abort();
  }

  async #send(): Promise<void> {
    for (let event = this.#waiting[0]; event; event = this.#waiting[0]) {
      try {
        await this.#log.appendShared(event, this.#stopped.signal);
      } catch (error) {
        if (this.#stopped.signal.aborted) break;
        this.#logger.error({ error, type: event.type }, 'the stream refused an event');
      }
      if (this.#waiting[0] === event) this.#waiting.shift();
    }
    this.#sending = undefined;
  }
}
