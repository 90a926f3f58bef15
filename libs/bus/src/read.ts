import { eventsStream } from '@reelstream/events';
import { AckPolicy, DeliverPolicy, JetStreamError, ReplayPolicy } from '@nats-io/jetstream';
import type { Consumer, ConsumerMessages, JsMsg } from '@nats-io/jetstream';
import { nanos } from '@nats-io/transport-node';
import { findLoss } from './core/continuity.ts';
import type { Cursor } from './core/continuity.ts';
import { BusError } from './errors.ts';
import type { JetStreamAccess } from './jetstream.ts';
import type { Link } from './link.ts';
import { eventAt, readMessage } from './lookup.ts';
import { isTransient, pauseBeforeRetry } from './retry.ts';
import type { Batch, InvalidMessage, StreamedEvent } from './types.ts';

const defaultMaxEvents = 500;
const fetchExpiresMs = 30_000;
const fetchHeartbeatMs = 500;
/** The server forgets our consumer after this long without a fetch; we then make another. */
const consumerIdleMs = 60_000;

export type ReadOptions = {
  readonly after: number;
  readonly anchor?: Cursor['anchor'];
  readonly signal: AbortSignal;
  readonly maxEvents?: number;
  readonly passHoles?: boolean;
};

/** Reads the stream in order: each life of a server-side consumer begins with a check that nothing was lost. */
export class Reader {
  readonly #link: Link;
  readonly #jetstream: JetStreamAccess;
  readonly #signal: AbortSignal;
  readonly #maxEvents: number;
  readonly #passHoles: boolean;
  #cursor: Cursor;

  constructor(link: Link, jetstream: JetStreamAccess, options: ReadOptions) {
    this.#link = link;
    this.#jetstream = jetstream;
    this.#signal = AbortSignal.any([options.signal, link.closing]);
    this.#maxEvents = options.maxEvents ?? defaultMaxEvents;
    this.#passHoles = options.passHoles ?? false;
    this.#cursor = { after: options.after, anchor: options.anchor };
  }

  async *batches(): AsyncGenerator<Batch, void, undefined> {
    for (let attempt = 0; !this.#signal.aborted; attempt += 1) {
      try {
        await this.#link.whenUp(this.#signal);
        await this.#checkContinuity();
        const consumer = await this.#createConsumer();
        for await (const batch of this.#consume(consumer)) {
          attempt = 0;
          yield batch;
        }
      } catch (error) {
        if (this.#signal.aborted) return;
        if (!isTransient(error) && !(error instanceof JetStreamError)) throw error;
      }
      await pauseBeforeRetry(this.#link, attempt, this.#signal).catch(() => undefined);
    }
  }

  async #checkContinuity(): Promise<void> {
    const { manager } = await this.#jetstream.apis();
    const { anchor, after } = this.#cursor;
    const anchored = anchor && (await eventAt(manager, anchor.sequence));
    const { state } = await manager.streams.info(eventsStream);
    const held = { firstSequence: state.first_seq, lastSequence: state.last_seq, anchorId: anchored?.raw.id };
    const loss = findLoss(this.#cursor, held);
    if (!loss || (loss === 'gap' && this.#passHoles)) return;

    const range = `${state.first_seq}..${state.last_seq}`;
    throw new BusError('BUS_SEQUENCE_LOST', `${loss}: the stream holds ${range}, read was up to ${after}`, {
      loss,
    });
  }

  async #createConsumer(): Promise<Consumer> {
    const { client, manager } = await this.#jetstream.apis();
    const info = await manager.consumers.add(eventsStream, {
      ack_policy: AckPolicy.None,
      replay_policy: ReplayPolicy.Instant,
      deliver_policy: DeliverPolicy.StartSequence,
      opt_start_seq: this.#cursor.after + 1,
      inactive_threshold: nanos(consumerIdleMs),
      mem_storage: true,
      num_replicas: 1,
    });

    return client.consumers.getConsumerFromInfo(info);
  }

  /** One life of a consumer: ends when the connection or the consumer does, or a message was lost on the way. */
  async *#consume(consumer: Consumer): AsyncGenerator<Batch, void, undefined> {
    let open: ConsumerMessages | undefined;
    const stop = (): void => open?.stop();
    const forget = this.#link.onChange(stop);
    this.#signal.addEventListener('abort', stop);
    try {
      for (let delivered = 0; this.#link.connected && !this.#signal.aborted;) {
        open = await consumer.fetch({
          max_messages: this.#maxEvents,
          expires: fetchExpiresMs,
          idle_heartbeat: fetchHeartbeatMs,
        });
        for await (const messages of batched(open, this.#maxEvents)) {
          delivered += messages.length;
          // A hole in the consumer's own count is a message lost between server and us: the stream still has it.
          if (messages.at(-1)?.info.deliverySequence !== delivered) return;
          const together = this.#passHoles ? messages : beforeHole(messages, this.#cursor.after);
          // Who reads has what is before a hole: it is the hole that comes next.
          if (together.length > 0) yield this.#take(together);
          const beyond = messages[together.length];
          if (beyond)
            throw new BusError(
              'BUS_SEQUENCE_LOST',
              `gap: ${this.#cursor.after} is followed by ${beyond.seq}`,
              {
                loss: 'gap',
              },
            );
        }
      }
    } finally {
      forget();
      this.#signal.removeEventListener('abort', stop);
      stop();
      if (this.#link.connected) consumer.delete().catch(() => undefined);
    }
  }

  #take(messages: readonly JsMsg[]): Batch {
    const events: StreamedEvent[] = [];
    const invalid: InvalidMessage[] = [];
    let { after, anchor } = this.#cursor;
    for (const message of messages) {
      const sequence = message.seq;
      after = sequence;
      const read = readMessage({ sequence, subject: message.subject, data: message.data });
      if ('streamed' in read) {
        events.push(read.streamed);
        anchor = { sequence, id: read.streamed.raw.id };
      } else {
        invalid.push(read.invalid);
      }
    }
    this.#cursor = { after, anchor };

    return { events, invalid, through: after, pending: messages.at(-1)?.info.pending ?? 0 };
  }
}

/** As many of the first messages as follow one another, and `after`. */
const beforeHole = (messages: readonly JsMsg[], after: number): readonly JsMsg[] => {
  const hole = messages.findIndex(({ seq }, index) => seq !== after + 1 + index);

  return hole === -1 ? messages : messages.slice(0, hole);
};

/** Groups what has arrived already, so that a lone message doesn't wait and a flood comes in lots. */
async function* batched(messages: ConsumerMessages, most: number): AsyncGenerator<JsMsg[], void, undefined> {
  let batch: JsMsg[] = [];
  for await (const message of messages) {
    batch.push(message);
    if (batch.length < most && messages.getPending() > 0) continue;
    yield batch;
    batch = [];
  }
}
