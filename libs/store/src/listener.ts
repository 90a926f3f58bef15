import pg from 'pg';

const firstPauseMs = 100;
const longestPauseMs = 5_000;

/**
 * Listens on a channel of NOTIFY with a connection of its own, and connects anew whenever it is lost. `notified` is
 * also called after each connect: something may have been said while nobody listened.
 */
export class Listener implements AsyncDisposable {
  readonly #url: string;
  readonly #channel: string;
  readonly #notified: (payload: string) => void;
  #client: pg.Client | undefined;
  #timer: NodeJS.Timeout | undefined;
  #pauseMs = firstPauseMs;
  #stopped = false;

  constructor(url: string, channel: string, notified: (payload: string) => void) {
    this.#url = url;
    this.#channel = channel;
    this.#notified = notified;
    this.#connect();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#client?.end().catch(() => undefined);
  }

  #connect(): void {
    const client = new pg.Client({
      connectionString: this.#url,
      connectionTimeoutMillis: longestPauseMs,
      keepAlive: true,
    });
    this.#client = client;
    client.on('notification', ({ payload }) => this.#notified(payload ?? ''));
    // An error is followed by `end`; without a listener it would end the process.
    client.on('error', () => undefined);
    client.on('end', () => this.#retry());
    this.#listen(client).catch(() => {
      void client.end().catch(() => undefined);
      this.#retry();
    });
  }

  async #listen(client: pg.Client): Promise<void> {
    await client.connect();
    await client.query(`listen ${pg.escapeIdentifier(this.#channel)}`);
    this.#pauseMs = firstPauseMs;
    if (!this.#stopped) this.#notified('');
  }

  #retry(): void {
    if (this.#stopped) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#connect(), this.#pauseMs);
    this.#pauseMs = Math.min(this.#pauseMs * 2, longestPauseMs);
  }
}
