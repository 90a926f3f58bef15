import { JetStreamApiError } from '@nats-io/jetstream';
import { Kvm } from '@nats-io/kv';
import type { KV, KvEntry } from '@nats-io/kv';
import { JetStreamApiCodes } from '@nats-io/jetstream';
import type { JetStreamAccess } from './jetstream.ts';
import type { Link } from './link.ts';
import { busError } from './plain.ts';
import { pauseBeforeRetry } from './retry.ts';
import type { KeyValue } from './types.ts';

const valueOf = (entry: KvEntry): unknown => {
  if (entry.operation !== 'PUT') return undefined;
  try {
    return entry.json<unknown>();
  } catch {
    return undefined;
  }
};

type Bucket = {
  readonly bucket: string;
  readonly replicas: number;
  readonly maxAgeMs: number | undefined;
};

/** A bucket of small JSON values, made at first use. Reads ask the leader: replicas may lag. */
export class BusKeyValue implements KeyValue {
  readonly #link: Link;
  readonly #jetstream: JetStreamAccess;
  readonly #shape: Bucket;
  /** Made once a connection, however many ask for it at the same time. */
  #opened: { readonly by: unknown; readonly kv: Promise<KV> } | undefined;

  constructor(link: Link, jetstream: JetStreamAccess, shape: Bucket) {
    this.#link = link;
    this.#jetstream = jetstream;
    this.#shape = shape;
  }

  async get(key: string): Promise<unknown> {
    const entry = await this.#with((kv) => kv.get(key));

    return entry ? valueOf(entry) : undefined;
  }

  async put(key: string, value: unknown): Promise<void> {
    await this.#with((kv) => kv.put(key, JSON.stringify(value)));
  }

  async create(key: string, value: unknown): Promise<boolean> {
    try {
      await this.#with((kv) => kv.create(key, JSON.stringify(value)));

      return true;
    } catch (error) {
      if (error instanceof JetStreamApiError && error.code === JetStreamApiCodes.StreamWrongLastSequence)
        return false;
      throw error;
    }
  }

  async delete(key: string): Promise<void> {
    await this.#with((kv) => kv.delete(key));
  }

  entries(): Promise<ReadonlyMap<string, unknown>> {
    return this.#with(async (kv) => {
      const found = new Map<string, unknown>();
      // One value a key is kept, so its history is what there is; it ends where it is complete.
      for await (const entry of await kv.history()) {
        const value = valueOf(entry);
        if (value !== undefined) found.set(entry.key, value);
      }

      return found;
    });
  }

  watch(listener: (key: string, value: unknown) => void): Promise<() => void> {
    const ending = new AbortController();
    void this.#watchUntil(AbortSignal.any([ending.signal, this.#link.closing]), listener);

    return Promise.resolve(() => ending.abort());
  }

  async #watchUntil(signal: AbortSignal, listener: (key: string, value: unknown) => void): Promise<void> {
    for (let attempt = 0; !signal.aborted; attempt += 1) {
      try {
        await this.#link.whenUp(signal);
        const entries = await this.#with((kv) => kv.watch());
        const stop = (): void => entries.stop();
        signal.addEventListener('abort', stop);
        if (signal.aborted) stop();
        for await (const entry of entries) {
          attempt = 0;
          listener(entry.key, valueOf(entry));
        }
        signal.removeEventListener('abort', stop);
      } catch {
        // Whatever ended the watch, a new one tells every entry again.
      }
      await pauseBeforeRetry(this.#link, attempt, signal).catch(() => undefined);
    }
  }

  async #with<T>(action: (kv: KV) => Promise<T>): Promise<T> {
    try {
      return await action(await this.#open());
    } catch (error) {
      throw busError(error, this.#shape.bucket);
    }
  }

  async #open(): Promise<KV> {
    const { client } = await this.#jetstream.apis();
    if (this.#opened?.by !== client) {
      const { bucket, replicas, maxAgeMs } = this.#shape;
      const kv = new Kvm(client).create(bucket, {
        replicas,
        history: 1,
        allow_direct: false,
        ...(maxAgeMs === undefined ? {} : { ttl: maxAgeMs }),
      });
      const opened = { by: client, kv };
      this.#opened = opened;
      kv.catch(() => {
        if (this.#opened === opened) this.#opened = undefined;
      });
    }

    return this.#opened.kv;
  }
}
