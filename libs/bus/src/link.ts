import { setTimeout as sleep } from 'node:timers/promises';
import { connect } from '@nats-io/transport-node';
import type { ConnectionOptions, Msg, NatsConnection, Subscription } from '@nats-io/transport-node';
import { BusError } from './errors.ts';

const pingIntervalMs = 1_000;
/** A server that leaves this many pings unanswered is gone. */
const pingsUnanswered = 2;
const dialTimeoutMs = 2_000;
const redialAfterMs = 250;
const flushLimitMs = 500;

type Attachment = {
  readonly subject: string;
  readonly callback: (message: Msg) => void;
  subscription: Subscription | undefined;
};

const connectionOptions = (options: { readonly url: string; readonly name: string }): ConnectionOptions => {
  const urls = options.url.split(',').map((url) => new URL(url.trim()));
  const { username = '', password = '', protocol } = urls[0] ?? {};
  const credentials = password
    ? { user: decodeURIComponent(username), pass: decodeURIComponent(password) }
    : { token: decodeURIComponent(username) };

  return {
    servers: urls.map((url) => url.host),
    name: options.name,
    ...(username ? credentials : {}),
    ...(protocol === 'tls:' ? { tls: {} } : {}),
    pingInterval: pingIntervalMs,
    maxPingOut: pingsUnanswered,
    timeout: dialTimeoutMs,
    maxReconnectAttempts: -1,
    reconnectTimeWait: redialAfterMs,
    ignoreAuthErrorAbort: true,
  };
};

/** A connection that is kept: it dials for ever, and subscriptions made while it is down begin when it is up. */
export class Link implements AsyncDisposable {
  readonly #options: ConnectionOptions;
  readonly #closing = new AbortController();
  readonly #attachments = new Set<Attachment>();
  readonly #listeners = new Set<(connected: boolean) => void>();
  readonly #kept: Promise<void>;
  #connection: NatsConnection | undefined;
  #connected = false;

  constructor(options: { readonly url: string; readonly name: string }) {
    this.#options = connectionOptions(options);
    this.#kept = this.#keep();
  }

  get connected(): boolean {
    return this.#connected;
  }

  /** Aborts when the link is disposed of. */
  get closing(): AbortSignal {
    return this.#closing.signal;
  }

  /** The connection while it is up. Throws BusError `BUS_NO_RESPONDER` while it is down. */
  get up(): NatsConnection {
    if (this.#closing.signal.aborted) throw new BusError('BUS_CLOSED', 'the bus was closed');
    if (!this.#connected || !this.#connection)
      throw new BusError('BUS_NO_RESPONDER', 'no connection to NATS');

    return this.#connection;
  }

  /** Returns the function that ends the listening. */
  onChange(listener: (connected: boolean) => void): () => void {
    this.#listeners.add(listener);

    return () => this.#listeners.delete(listener);
  }

  /** Resolves once connected; rejects when `signal` aborts or the link is closed. */
  async whenUp(signal?: AbortSignal): Promise<NatsConnection> {
    while (!this.#connected) {
      signal?.throwIfAborted();
      if (this.#closing.signal.aborted) break;
      await this.#changeOrAbort(signal);
    }

    return this.up;
  }

  /** Waits for what was asked of a server, but no longer than the connection lasts: with it, the answer is gone. */
  async whileUp<T>(asked: Promise<T>): Promise<T> {
    const { promise: down, reject } = Promise.withResolvers<never>();
    const forget = this.onChange(() =>
      reject(new BusError('BUS_NO_RESPONDER', 'the connection to NATS broke')),
    );
    try {
      return await Promise.race([asked, down]);
    } finally {
      forget();
      asked.catch(() => undefined);
    }
  }

  subscribe(subject: string, callback: (message: Msg) => void): () => void {
    const attachment: Attachment = { subject, callback, subscription: undefined };
    this.#attachments.add(attachment);
    if (this.#connection) this.#attach(this.#connection, attachment);

    return () => {
      this.#attachments.delete(attachment);
      attachment.subscription?.unsubscribe();
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    const connection = this.#connection;
    if (connection) {
      if (this.#connected)
        await Promise.race([connection.flush().catch(() => undefined), sleep(flushLimitMs)]);
      await connection.close();
    }
    await this.#kept;
  }

  #changeOrAbort(signal?: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const wake = (): void => resolve();
    const forget = this.onChange(wake);
    signal?.addEventListener('abort', wake);
    this.#closing.signal.addEventListener('abort', wake);

    return promise.finally(() => {
      forget();
      signal?.removeEventListener('abort', wake);
      this.#closing.signal.removeEventListener('abort', wake);
    });
  }

  /** The client redials by itself once it was connected; before that, and should it ever give up, we do. */
  async #keep(): Promise<void> {
    while (!this.#closing.signal.aborted) {
      try {
        const connection = await connect(this.#options);
        await this.#follow(connection);
      } catch {
        await sleep(redialAfterMs, undefined, { signal: this.#closing.signal }).catch(() => undefined);
      }
    }
  }

  async #follow(connection: NatsConnection): Promise<void> {
    if (this.#closing.signal.aborted) return connection.close();
    this.#connection = connection;
    for (const attachment of this.#attachments) this.#attach(connection, attachment);
    this.#change(true);
    for await (const status of connection.status()) {
      if (status.type === 'disconnect' || status.type === 'close') this.#change(false);
      if (status.type === 'reconnect') this.#change(true);
      if (status.type === 'close') break;
    }
    this.#change(false);
    this.#connection = undefined;
  }

  #attach(connection: NatsConnection, attachment: Attachment): void {
    attachment.subscription = connection.subscribe(attachment.subject, {
      callback: (error, message) => {
        if (!error) attachment.callback(message);
      },
    });
  }

  #change(connected: boolean): void {
    if (this.#connected === connected) return;
    this.#connected = connected;
    for (const listener of this.#listeners) listener(connected);
  }
}
