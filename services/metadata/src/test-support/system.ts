import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connectBus } from '@reelstream/bus';
import type { Bus, BusOptions } from '@reelstream/bus';
import { openStore } from '@reelstream/store';
import type { Store } from '@reelstream/store';
import { startNats, startPostgres, waitFor } from '@reelstream/testing';
import type { TestNats, TestPostgres } from '@reelstream/testing';
import { loadMetadataConfig } from '../config.ts';
import { startMetadata } from '../service.ts';

export const token = 'test-token';
export const clusterKey = Buffer.alloc(32, 7).toString('base64');

/** A metadata service over servers of its own, with a bus and a store for the test beside it. */
export type TestMetadata = AsyncDisposable & {
  readonly nats: TestNats;
  readonly postgres: TestPostgres;
  readonly bus: Bus;
  readonly store: Store;
  readonly apiUrl: string;
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

export const startTestMetadata = async (busOptions: Partial<BusOptions> = {}): Promise<TestMetadata> => {
  await using begun = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'reelstream-metadata-'));
  begun.defer(() => rm(folder, { recursive: true }));
  const tokenFile = join(folder, 'admin-token');
  await writeFile(tokenFile, `${token}\n`);
  const nats = begun.use(await startNats());
  const postgres = begun.use(await startPostgres());
  const bus = begun.use(await connectBus({ url: nats.url, name: 'test', ...busOptions }));
  await bus.events.ensure();
  const store = begun.use(openStore(postgres.url, { maxConnections: 3 }));
  const config = loadMetadataConfig({
    NATS_URL: nats.url,
    DATABASE_URL: postgres.url,
    REEL_CLUSTER_KEY: clusterKey,
    REEL_HTTP_PORT: '0',
    REEL_ADMIN_TOKEN_FILE: tokenFile,
    REEL_HOST_ID: 'box',
    REEL_LOG_LEVEL: process.env['REEL_LOG_LEVEL'] ?? 'silent',
  });
  let service = await startMetadata(config);
  begun.defer(() => service[Symbol.asyncDispose]());
  const apiUrl = (): string => `http://127.0.0.1:${service.httpPort}/api/v1`;
  const ready = (): Promise<void> =>
    until('the database to be ready', async () => {
      const health = (await (await fetch(`${apiUrl()}/health`)).json()) as {
        readonly database: { readonly state: string };
      };

      return health.database.state === 'READY';
    });
  await ready();
  const running = begun.move();
  const api = (path: string, init: RequestInit = {}): Promise<Response> =>
    fetch(`${apiUrl()}${path}`, {
      redirect: 'manual',
      ...init,
      headers: { authorization: `Bearer ${token}`, ...Object.fromEntries(new Headers(init.headers)) },
    });

  return {
    nats,
    postgres,
    bus,
    store,
    get apiUrl() {
      return apiUrl();
    },
    api,
    json: async <T>(path: string, init?: RequestInit): Promise<T> =>
      (await api(path, init)).json() as Promise<T>,
    stop: async () => service[Symbol.asyncDispose](),
    start: async () => {
      service = await startMetadata(config);
      await ready();
    },
    [Symbol.asyncDispose]: () => running[Symbol.asyncDispose](),
  };
};
