import type { EventLog } from '@reelstream/bus';
import { freshId, mintEvent } from '@reelstream/events';
import type { DataOf, DomainEvent } from '@reelstream/events';
import type { Logger, Meters } from '@reelstream/service';
import type { Writer } from './ledger.ts';

export type NodeEventType = 'node.started' | 'node.stopped' | 'attempt.refused' | 'attempt.cancelled';

/** Beyond this many waiting, the oldest are dropped and counted: a flood of refusals must not fill the memory. */
const mostWaiting = 10_000;

/** What this node says of itself and of calls that it didn't record. It goes out in order as soon as the bus takes it. */
export class NodeEvents {
  readonly #stream: Pick<EventLog, 'appendShared'>;
  readonly #nodeId: string;
  readonly #writer: Writer;
  readonly #origin: () => string;
  readonly #log: Logger;
  readonly #meters: Meters;
  readonly #waiting: DomainEvent[] = [];
  readonly #stopped = new AbortController();
  #sending: Promise<void> | undefined;

  constructor(options: {
    readonly stream: Pick<EventLog, 'appendShared'>;
    readonly nodeId: string;
    readonly writer: Writer;
    /** The database server that generates what is said now. */
    readonly origin: () => string;
    readonly log: Logger;
    readonly meters: Meters;
  }) {
    this.#stream = options.stream;
    this.#nodeId = options.nodeId;
    this.#writer = options.writer;
    this.#origin = options.origin;
    this.#log = options.log;
    this.#meters = options.meters;
  }

  /** Never waits and never fails. */
  say<T extends NodeEventType>(type: T, data: DataOf<T>): void {
    const stamp = { ...this.#writer, id: freshId(), time: new Date().toISOString(), version: 1 };
    const event = mintEvent({ ...stamp, type, subject: this.#nodeId, origin: this.#origin(), data });
    this.#log.info({ ...data }, type);
    this.#waiting.push(event);
    if (this.#waiting.length > mostWaiting) {
      this.#waiting.shift();
      this.#meters.count('node-event.dropped', type);
    }
    this.#sending ??= this.#send();
  }

  /** Waits until all is out, at most `limitMs`; then stops. */
  async close(limitMs: number): Promise<void> {
    const timer = setTimeout(() => this.#stopped.abort(), limitMs);
    await this.#sending;
    clearTimeout(timer);
    this.#stopped.abort();
  }

  async #send(): Promise<void> {
    for (let event = this.#waiting.shift(); event; event = this.#waiting.shift()) {
      try {
        await this.#stream.appendShared(event, this.#stopped.signal);
      } catch (error) {
        if (this.#stopped.signal.aborted) break;
        this.#log.error({ error, type: event.type }, 'event refused by the stream');
      }
    }
    this.#sending = undefined;
  }
}
