import { eventsStream } from '@reelstream/events';
import { JetStreamApiError } from '@nats-io/jetstream';
import { millis } from '@nats-io/transport-node';
import { Appender } from './append.ts';
import { BusError } from './errors.ts';
import type { JetStreamAccess } from './jetstream.ts';
import type { Link } from './link.ts';
import { eventAt, eventsOn } from './lookup.ts';
import { Reader } from './read.ts';
import { isTransient, untilDone } from './retry.ts';
import { ensureStream } from './stream.ts';
import type { BusOptions, EventLog, StreamInfo } from './types.ts';

/** The stream EVENTS over a link. Everything waits for the connection and rides out elections. */
export const createEventLog = (link: Link, jetstream: JetStreamAccess, options: BusOptions): EventLog => {
  const appender = new Appender(link, jetstream);

  const ensure = async (): Promise<void> => {
    const { manager } = await jetstream.apis();
    try {
      await ensureStream(manager, options);
    } catch (error) {
      if (!(error instanceof JetStreamApiError) || isTransient(error)) throw error;
      throw new BusError('BUS_REFUSED', `the server refused the stream ${eventsStream}: ${error.message}`, {
        cause: error,
      });
    }
  };

  const info = async (): Promise<StreamInfo> => {
    const { manager } = await jetstream.apis();
    const { state, created, config } = await manager.streams.info(eventsStream);

    return {
      firstSequence: state.first_seq,
      lastSequence: state.last_seq,
      bytes: state.bytes,
      maxAgeMs: millis(config.max_age),
      createdAt: created,
    };
  };

  let ensured = false;
  const ensureAndKeep = async (): Promise<void> => {
    await untilDone(link, ensure);
    if (ensured) return;
    ensured = true;
    // A server may come back with an empty store; what else it could refuse was told at the first time.
    link.onChange((connected) => {
      if (connected) untilDone(link, ensure).catch(() => undefined);
    });
  };

  return {
    ensure: ensureAndKeep,
    appendOwned: (event, signal) => appender.owned(event, signal),
    appendShared: (event, signal) => appender.shared(event, signal),
    republish: (event, signal) => appender.again(event, signal),
    read: (readOptions) => new Reader(link, jetstream, readOptions).batches(),
    at: (sequence) => untilDone(link, async () => eventAt((await jetstream.apis()).manager, sequence)),
    on: (subject, signal) =>
      untilDone(link, async () => eventsOn((await jetstream.apis()).manager, subject), signal),
    info: () => untilDone(link, info),
  };
};
