import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connectBus } from '@reelstream/bus';
import type { Bus } from '@reelstream/bus';
import { openStore } from '@reelstream/store';
import type { Store } from '@reelstream/store';
import { startNats, startPostgres, waitFor } from '@reelstream/testing';
import type { TestNats, TestPostgres } from '@reelstream/testing';
import { loadMetadataConfig } from '../config.ts';
import type { Config } from '../config.ts';
import { startMetadata } from '../service.ts';

const token = 'test-token';
export const clusterKey = Buffer.alloc(32, 7).toString('base64');

/** A metadata service over servers of its own, with a bus and a store for the test beside it. */
export type TestMetadata = AsyncDisposable & {
  readonly nats: TestNats;
  readonly postgres: TestPostgres;
  readonly bus: Bus;
  readonly store: Store;
  readonly apiUrl: string;
  readonly tokenFile: string;
  /** Calls the API with the token; redirects are not followed. */
  api(path: string, init?: RequestInit): Promise<Response>;
  json<T>(path: string, init?: RequestInit): Promise<T>;
  /** Ends the service; the servers go on. */
  stop(): Promise<void>;
  /** Begins it anew. */
  start(): Promise<void>;
};

/** Waits until `look` is true, asking again and again; fails after thirty seconds. */
export const until = async (describe: string, look: () => Promise<boolean> | boolean): Promise<void> => {
  await waitFor(async () => ((await look()) ? true : undefined), { deadlineMs: 30_000, describe });
};

const configure = (
  urls: { readonly nats: string; readonly postgres: string },
  tokenFile: string,
  settings: Readonly<Record<string, string>>,
): Config =>
  loadMetadataConfig({
    NATS_URL: urls.nats,
    DATABASE_URL: urls.postgres,
    REEL_CLUSTER_KEY: clusterKey,
    REEL_HTTP_PORT: '0',
    REEL_ADMIN_TOKEN_FILE: tokenFile,
    REEL_HOST_ID: 'box',
    REEL_LOG_LEVEL: 'silent',
    ...settings,
  });

const callerOf =
  (apiUrl: () => string) =>
  (path: string, init: RequestInit = {}): Promise<Response> => {
    const headers = { authorization: `Bearer ${token}`, ...Object.fromEntries(new Headers(init.headers)) };

    return fetch(`${apiUrl()}${path}`, { redirect: 'manual', ...init, headers });
  };

const databaseReady = async (apiUrl: string): Promise<boolean> => {
  const health = (await (await fetch(`${apiUrl}/health`)).json()) as {
    readonly database: { readonly state: string };
  };

  return health.database.state === 'READY';
};

/** `settings` are those of the service beyond what the test gives it, by their variables. */
export const startTestMetadata = async (
  settings: Readonly<Record<string, string>> = {},
): Promise<TestMetadata> => {
  await using begun = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'reelstream-metadata-'));
  begun.defer(() => rm(folder, { recursive: true }));
  const tokenFile = join(folder, 'admin-token');
  await writeFile(tokenFile, `${token}\n`);
  const nats = begun.use(await startNats());
  const postgres = begun.use(await startPostgres());
  const bus = begun.use(await connectBus({ url: nats.url, name: 'test' }));
  await bus.events.ensure();
  const store = begun.use(openStore(postgres.url, { maxConnections: 3 }));

  const config = configure({ nats: nats.url, postgres: postgres.url }, tokenFile, settings);
  let service = await startMetadata(config);
  begun.defer(() => service[Symbol.asyncDispose]());
  const apiUrl = (): string => `http://127.0.0.1:${service.httpPort}/api/v1`;
  const api = callerOf(apiUrl);
  const ready = (): Promise<void> => until('the database to be ready', () => databaseReady(apiUrl()));
  await ready();
  const running = begun.move();

  return {
    nats,
    postgres,
    bus,
    store,
    tokenFile,
    get apiUrl() {
      return apiUrl();
    },
    api,
    json: async <T>(path: string, init?: RequestInit) => (await (await api(path, init)).json()) as T,
    stop: async () => service[Symbol.asyncDispose](),
    start: async () => {
      service = await startMetadata(config);
      await ready();
    },
    [Symbol.asyncDispose]: () => running[Symbol.asyncDispose](),
  };
};
