import { eventsStream, eventSubject } from '@reelstream/events';
import type { DomainEvent } from '@reelstream/events';
import { JetStreamApiCodes, JetStreamApiError } from '@nats-io/jetstream';
import type { JetStreamPublishOptions, PubAck } from '@nats-io/jetstream';
import { judgeConflict } from './core/append.ts';
import type { Place } from './core/append.ts';
import { BusError } from './errors.ts';
import type { JetStreamAccess } from './jetstream.ts';
import type { Link } from './link.ts';
import { lastOf } from './lookup.ts';
import { untilDone } from './retry.ts';
import type { AppendOutcome } from './types.ts';

const ackTimeoutMs = 2_000;
/** Room for our headers: message id and expectations. */
const headerReserveBytes = 1_024;
/** Subjects whose last message is remembered. A forgotten one costs a round trip. */
const hintsKept = 10_000;

type Hint = { readonly sequence: number; readonly place: Place };

const isWrongLastSequence = (error: unknown): boolean =>
  error instanceof JetStreamApiError &&
  (error.code === JetStreamApiCodes.StreamWrongLastSequence ||
    error.code === JetStreamApiCodes.StreamWrongLastSequenceUnknown);

const subjectOf = (event: DomainEvent): string => eventSubject(event.type, event.subject);

/** Appends to the stream until it is known what became of the event. */
export class Appender {
  readonly #link: Link;
  readonly #jetstream: JetStreamAccess;
  /** The last message per subject, as far as we know: a hint, set right by the server. In order of use. */
  readonly #hints = new Map<string, Hint>();

  constructor(link: Link, jetstream: JetStreamAccess) {
    this.#link = link;
    this.#jetstream = jetstream;
  }

  /** See EventLog. Every lost ack is retried; the server's deduplication or the subject's last message then tells. */
  async owned(event: DomainEvent, signal?: AbortSignal): Promise<AppendOutcome> {
    const subject = subjectOf(event);

    return untilDone(
      this.#link,
      async () => {
        try {
          const ack = await this.#publish(event, {
            msgID: event.id,
            expect: { lastSubjectSequence: this.#expected(subject, event) },
          });
          this.#remember(subject, ack.seq, event);

          return { status: ack.duplicate ? 'already-stored' : 'appended', sequence: ack.seq };
        } catch (error) {
          if (!isWrongLastSequence(error)) throw error;
        }

        return this.#resolveConflict(event, subject);
      },
      signal,
    );
  }

  async shared(event: DomainEvent, signal?: AbortSignal): Promise<{ readonly sequence: number }> {
    const ack = await untilDone(this.#link, () => this.#publish(event, { msgID: event.id }), signal);

    return { sequence: ack.seq };
  }

  /** Without a message id: the server's memory of ids may outlive the message it stands for. */
  async again(event: DomainEvent, signal?: AbortSignal): Promise<{ readonly sequence: number }> {
    const ack = await untilDone(this.#link, () => this.#publish(event, {}), signal);
    this.#remember(subjectOf(event), ack.seq, event);

    return { sequence: ack.seq };
  }

  async #resolveConflict(event: DomainEvent, subject: string): Promise<AppendOutcome> {
    const { manager } = await this.#jetstream.apis();
    const last = await lastOf(manager, subject);
    if (last) this.#remember(subject, last.sequence, last.place);
    else this.#hints.delete(subject);
    switch (judgeConflict(event, last?.place)) {
      case 'already-stored':
        return {
          status: 'already-stored',
          sequence: last?.place.id === event.id ? last.sequence : undefined,
        };
      case 'fenced':
        return { status: 'fenced', byEpoch: last?.place.epoch ?? event.epoch };
      case 'retry':
        throw new BusError('BUS_TIMEOUT', `${subject} moved on to ${last?.sequence ?? 0}; trying again`);
    }
  }

  async #publish(event: DomainEvent, options: Partial<JetStreamPublishOptions>): Promise<PubAck> {
    const { client } = await this.#jetstream.apis();
    const payload = new TextEncoder().encode(JSON.stringify(event));
    const limit = this.#link.up.info?.max_payload;
    if (limit !== undefined && payload.length > limit - headerReserveBytes) {
      throw new BusError(
        'BUS_REFUSED',
        `event ${event.id} has ${payload.length} bytes; the server takes ${limit}`,
      );
    }
    const { expect, ...rest } = options;

    return client.publish(subjectOf(event), payload, {
      ...rest,
      timeout: ackTimeoutMs,
      expect: { streamName: eventsStream, ...expect },
    });
  }

  /** A hint at or past our own place would let a stored event in again: then the subject's last message must judge. */
  #expected(subject: string, event: Place): number {
    const hint = this.#hints.get(subject);

    return hint && judgeConflict(event, hint.place) === 'retry' ? hint.sequence : 0;
  }

  #remember(subject: string, sequence: number, { id, epoch, version }: Place): void {
    this.#hints.delete(subject);
    this.#hints.set(subject, { sequence, place: { id, epoch, version } });
    if (this.#hints.size <= hintsKept) return;
    for (const oldest of this.#hints.keys()) {
      this.#hints.delete(oldest);
      break;
    }
  }
}
