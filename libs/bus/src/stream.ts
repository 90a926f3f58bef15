import { eventsStream, eventsSubjects } from '@reelstream/events';
import { DiscardPolicy, JetStreamApiError, RetentionPolicy, StorageType } from '@nats-io/jetstream';
import type { JetStreamManager, StreamConfig } from '@nats-io/jetstream';
import { nanos } from '@nats-io/transport-node';
import { BusError } from './errors.ts';
import type { BusOptions } from './types.ts';

const nameInUse = 10058;
const defaults = {
  duplicateWindowMs: 120_000,
  replicas: 1,
  maxBytes: 2 * 1024 ** 3,
  maxAgeMs: 30 * 86_400_000,
};

type Wanted = Pick<
  StreamConfig,
  | 'name'
  | 'subjects'
  | 'storage'
  | 'retention'
  | 'discard'
  | 'max_age'
  | 'max_bytes'
  | 'duplicate_window'
  | 'num_replicas'
  | 'deny_delete'
  | 'deny_purge'
>;

/** Only what a 2.9 server knows; the stream is never purged in part, so deletes are denied for good. */
const wantedConfig = (options: BusOptions): Wanted => {
  const given = { ...defaults, ...options };

  return {
    name: eventsStream,
    subjects: [...eventsSubjects],
    storage: StorageType.File,
    retention: RetentionPolicy.Limits,
    discard: DiscardPolicy.Old,
    max_age: nanos(given.maxAgeMs),
    max_bytes: given.maxBytes,
    duplicate_window: nanos(Math.min(given.duplicateWindowMs, given.maxAgeMs)),
    num_replicas: given.replicas,
    deny_delete: true,
    deny_purge: true,
  };
};

const createOrUpdate = async (manager: JetStreamManager, wanted: Wanted): Promise<StreamConfig> => {
  try {
    return (await manager.streams.add(wanted)).config;
  } catch (error) {
    if (!(error instanceof JetStreamApiError && error.code === nameInUse)) throw error;
  }

  return (await manager.streams.update(wanted.name, wanted)).config;
};

/**
 * Creates the stream EVENTS or brings it to the wanted options; several services may do so at once. Throws BusError
 * `BUS_UNSUPPORTED` naming each option that the server did not take over, `BUS_REFUSED` with its reason if it refuses.
 */
export const ensureStream = async (manager: JetStreamManager, options: BusOptions): Promise<void> => {
  const wanted = wantedConfig(options);
  const actual = await createOrUpdate(manager, wanted);
  const ignored = (Object.keys(wanted) as (keyof Wanted)[]).filter(
    (key) => JSON.stringify(actual[key]) !== JSON.stringify(wanted[key]),
  );
  if (ignored.length === 0) return;

  const each = ignored.map((key) => `${key} (wanted ${String(wanted[key])}, is ${String(actual[key])})`);
  throw new BusError(
    'BUS_UNSUPPORTED',
    `the server ignores options of stream ${eventsStream}: ${each.join(', ')}`,
  );
};
