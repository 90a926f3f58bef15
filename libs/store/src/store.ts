import { Kysely, PostgresDialect, sql } from 'kysely';
import pg from 'pg';
import { Listener } from './listener.ts';
import { migrateToLatest } from './migrate.ts';
import type { Database } from './schema.ts';

export type StoreOptions = {
  /** Most connections at a time, listeners not counted. Default 8. */
  readonly maxConnections?: number;
  /** Longest wait for a connection, in milliseconds. Default 5,000. */
  readonly connectTimeoutMs?: number;
};

/** One PostgreSQL database. Opening it connects to nothing yet; every query may fail while the server is away. */
export interface Store extends AsyncDisposable {
  readonly db: Kysely<Database>;
  /** Brings the schema up to date; safe in any number of processes at once. Throws StoreMigrationError. */
  migrate(): Promise<void>;
  /** Answers when the database does; throws otherwise. */
  ping(): Promise<void>;
  /**
   * Calls back for every NOTIFY on `channel`, and after each connect (with an empty payload), since some may have been
   * missed. Survives lost connections. Returns the function that ends it.
   */
  listen(channel: string, notified: (payload: string) => void): () => Promise<void>;
  close(): Promise<void>;
}

/** Reads bigint as a number; everything else as pg does. */
const types: pg.CustomTypesConfig = {
  getTypeParser: (oid: number, format?: 'text' | 'binary') => {
    // pg types its parsers as any.
    const parser: unknown = pg.types.getTypeParser(oid, format);

    return oid === pg.types.builtins.INT8 && format !== 'binary' ? Number : parser;
  },
};

/** Opens the database at a `postgres://` URL (or a Unix socket, as pg writes it). */
export const openStore = (url: string, options: StoreOptions = {}): Store => {
  const pool = new pg.Pool({
    connectionString: url,
    max: options.maxConnections ?? 8,
    connectionTimeoutMillis: options.connectTimeoutMs ?? 5_000,
    keepAlive: true,
    types,
  });
  // An idle connection that the server drops is replaced at the next query; unheard, the error would end the process.
  pool.on('error', () => undefined);
  // One that is lent out tells its query first; what it says after that would end the process too.
  pool.on('connect', (client) => client.on('error', () => undefined));
  const db = new Kysely<Database>({ dialect: new PostgresDialect({ pool }) });
  const listeners = new Set<Listener>();
  const close = async (): Promise<void> => {
    await Promise.all([...listeners].map((listener) => listener[Symbol.asyncDispose]()));
    await db.destroy();
  };

  return {
    db,
    migrate: () => migrateToLatest(db),
    ping: async () => {
      await sql`select 1`.execute(db);
    },
    listen: (channel, notified) => {
      const listener = new Listener(url, channel, notified);
      listeners.add(listener);

      return async () => {
        listeners.delete(listener);
        await listener[Symbol.asyncDispose]();
      };
    },
    close,
    [Symbol.asyncDispose]: close,
  };
};
