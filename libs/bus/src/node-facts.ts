import { derivedId, freshId, mintEvent } from '@reelstream/events';
import type { DataOf, EventOf, EventType, Role } from '@reelstream/events';
import type { EventLog } from './types.ts';

/** Events a node writes on its own subject, `ev.node.<nodeId>`. */
export type NodeFact = Extract<EventType, `node.${string}` | `attempt.${string}` | `call.${string}`>;

export type NodeFactsOptions = {
  readonly stream: Pick<EventLog, 'appendShared'>;
  readonly node: {
    readonly clusterId: string;
    readonly nodeId: string;
    readonly role: Role;
    readonly epoch: number;
    readonly host: string;
    readonly address: string;
  };
  /** The database server that generates what is said now. */
  readonly origin: () => string;
  /** Told of each fact as it is said, for log and meters. */
  readonly onSaid?: (type: NodeFact, data: object) => void;
  /** Told of a fact that will never be stored: dropped as the oldest of too many, or refused by the stream. */
  readonly onLost?: (type: NodeFact, cause: unknown) => void;
  /** Most facts that wait for the bus; beyond it the oldest are dropped. Default 10,000. */
  readonly mostWaiting?: number;
};

/** What a node has to say of itself: in order, in the background, never in the way of a call. */
export class NodeFacts {
  readonly #options: NodeFactsOptions;
  readonly #waiting: EventOf<NodeFact>[] = [];
  readonly #stopped = new AbortController();
  #sending: Promise<void> | undefined;

  constructor(options: NodeFactsOptions) {
    this.#options = options;
  }

  /** This life of the node began. */
  started(): void {
    const { nodeId, role, host, address } = this.#options.node;
    this.say('node.started', { nodeId, role, host, address, startedAt: new Date().toISOString() });
  }

  /** This life of the node ends in good order. */
  stopped(): void {
    const { nodeId, role } = this.#options.node;
    this.say('node.stopped', { nodeId, role, stoppedAt: new Date().toISOString() });
  }

  /** Queues a fact. Never waits, never throws. */
  say<T extends NodeFact>(type: T, data: DataOf<T>): void {
    const { onSaid, onLost, mostWaiting = 10_000 } = this.#options;
    onSaid?.(type, data);
    this.#waiting.push(this.#mint(type, data));
    if (this.#waiting.length > mostWaiting) {
      const dropped = this.#waiting.shift();
      if (dropped) onLost?.(dropped.type, 'too many wait for the bus');
    }
    this.#sending ??= this.#send();
  }

  /** Gives what waits at most `limitMs` to go out; then no more is sent. */
  async close(limitMs: number): Promise<void> {
    const timer = setTimeout(() => this.#stopped.abort(), limitMs);
    await this.#sending;
    clearTimeout(timer);
    this.#stopped.abort();
  }

  #mint<T extends NodeFact>(type: T, data: DataOf<T>): EventOf<NodeFact> {
    const { node, origin } = this.#options;
    const { clusterId, nodeId, epoch } = node;
    const oncePerLife = type === 'node.started' || type === 'node.stopped';
    // Whoever repeats the request that caused it finds it by this id.
    const onceAnAttempt = type === 'attempt.failed' && 'attemptId' in data ? data.attemptId : undefined;

    return mintEvent<NodeFact>({
      type,
      id: oncePerLife
        ? derivedId(type, nodeId, String(epoch))
        : onceAnAttempt === undefined
          ? freshId()
          : derivedId(type, onceAnAttempt),
      time: new Date().toISOString(),
      source: `/${clusterId}/${nodeId}`,
      subject: nodeId,
      origin: origin(),
      version: 1,
      epoch,
      data,
    });
  }

  async #send(): Promise<void> {
    const { signal } = this.#stopped;
    for (let event = this.#waiting.shift(); event; event = this.#waiting.shift()) {
      try {
        await this.#options.stream.appendShared(event, signal);
      } catch (error) {
        if (signal.aborted) break;
        this.#options.onLost?.(event.type, error);
      }
    }
    this.#sending = undefined;
  }
}
