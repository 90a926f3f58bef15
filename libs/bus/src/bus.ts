import { createEventLog } from './event-log.ts';
import { JetStreamAccess } from './jetstream.ts';
import { BusKeyValue } from './key-value.ts';
import { Link } from './link.ts';
import { publishPlain, requestPlain, subscribePlain } from './plain.ts';
import type { Bus, BusOptions } from './types.ts';

const uncounted = { count: () => undefined };

/**
 * Opens the bus. Resolves at once, even if no server is up: it dials for ever, and `connected` and `onConnection` tell.
 * Rejects only for a URL that is none.
 */
export const connectBus = async (options: BusOptions): Promise<Bus> => {
  const link = new Link(options);
  const jetstream = new JetStreamAccess(link);
  const meters = options.meters ?? uncounted;

  return {
    events: createEventLog(link, jetstream, options),
    get connected() {
      return link.connected;
    },
    onConnection: (listener) => link.onChange(listener),
    publish: (subject, data) => publishPlain(link, subject, data),
    subscribe: (subject, handler) => subscribePlain(link, meters, subject, handler),
    request: (subject, data, timeoutMs) => requestPlain(link, subject, data, timeoutMs),
    kv: (bucket, { maxAgeMs } = {}) =>
      Promise.resolve(
        new BusKeyValue(link, jetstream, { bucket, replicas: options.replicas ?? 1, maxAgeMs }),
      ),
    [Symbol.asyncDispose]: () => link[Symbol.asyncDispose](),
  };
};
