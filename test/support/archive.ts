import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { connectBus } from '@reelstream/bus';
import type { Bus } from '@reelstream/bus';
import { openStore } from '@reelstream/store';
import type { Store } from '@reelstream/store';
import { freePorts, startNats, startPostgres, waitFor } from '@reelstream/testing';
import type { TestNats, TestPostgres } from '@reelstream/testing';
import { startHome } from './home.ts';
import type { Home } from './home.ts';
import { startProgram } from './program.ts';
import type { Program } from './program.ts';
import { runReel } from './reel.ts';
import type { ReelResult } from './reel.ts';

/** What keeps recordings and what is known of them: bus, database, metadata and one home, each of which a test may take away. */
export type Archive = AsyncDisposable & {
  readonly nats: TestNats;
  /** Base64, for others that are to belong to it. */
  readonly clusterKey: string;
  readonly postgres: TestPostgres;
  readonly home: Home;
  readonly bus: Bus;
  readonly store: Store;
  readonly apiUrl: string;
  /** Calls the API with the admin's token. */
  api(path: string, init?: { readonly method?: string; readonly body?: unknown }): Promise<Response>;
  /** Runs `reel`; resolves when it ends. */
  reel(...args: string[]): Promise<ReelResult>;
  stopMetadata(): Promise<void>;
  /** Resolves once it has all that the stream holds. */
  startMetadata(): Promise<void>;
};

export type ArchiveOptions = {
  /** More settings of metadata. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Node's own options for metadata. */
  readonly nodeOptions?: readonly string[];
};

const programOf = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const token = 'archive-token';

/** Starts it all; resolves when a call would be recorded. `rtpPorts` are those of the home: `low-high`. */
export const startArchive = async (rtpPorts: string, options: ArchiveOptions = {}): Promise<Archive> => {
  const { settings = {}, nodeOptions = [] } = options;
  await using started = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'reel-archive-'));
  started.defer(() => rm(folder, { recursive: true, force: true }));
  const tokenFile = join(folder, 'admin-token');
  await writeFile(tokenFile, `${token}\n`);
  const clusterKey = randomBytes(32).toString('base64');
  const nats = started.use(await startNats());
  const postgres = started.use(await startPostgres());
  const [httpPort = 0] = await freePorts(1);
  const apiUrl = `http://127.0.0.1:${httpPort}/api/v1`;
  const bus = started.use(await connectBus({ url: nats.url, name: 'archive' }));
  const store = started.use(openStore(postgres.url, { maxConnections: 2 }));

  let metadata: Program | undefined;
  const stopMetadata = async (): Promise<void> => metadata?.end();
  started.defer(stopMetadata);
  const startMetadata = async (): Promise<void> => {
    const program = startProgram({
      file: process.execPath,
      args: [...nodeOptions, programOf('services/metadata/src/main.ts')],
      env: {
        NATS_URL: nats.url,
        DATABASE_URL: postgres.url,
        REEL_CLUSTER_KEY: clusterKey,
        REEL_NODE_ID: 'metadata-1',
        REEL_HTTP_PORT: String(httpPort),
        REEL_ADMIN_TOKEN_FILE: tokenFile,
        ...settings,
      },
    });
    metadata = program;
    await waitFor(async () => ((await isReady(apiUrl)) ? true : undefined), {
      deadlineMs: 30_000,
      describe: () => `metadata is not ready:\n${program.output()}`,
    });
  };
  await startMetadata();
  const nodeId = 'capture-1';
  const home = started.use(
    await startHome({ natsUrl: nats.url, natsReplicas: 1, clusterKey, nodeId, rtpPorts, capacity: 50 }),
  );
  const stack = started.move();

  return {
    nats,
    clusterKey,
    postgres,
    home,
    bus,
    store,
    apiUrl,
    api: (path, { method = 'GET', body } = {}) =>
      fetch(`${apiUrl}${path}`, {
        method,
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      }),
    reel: (...args) => runReel(args, { REEL_URL: new URL(apiUrl).origin, REEL_TOKEN: token }),
    stopMetadata,
    startMetadata,
    [Symbol.asyncDispose]: () => stack[Symbol.asyncDispose](),
  };
};

const isReady = async (apiUrl: string): Promise<boolean> => {
  const response = await fetch(`${apiUrl}/health`).catch(() => undefined);
  const health = (await response?.json().catch(() => undefined)) as
    | { readonly database?: { readonly state?: string; readonly behind?: number } }
    | undefined;

  return health?.database?.state === 'READY' && health.database.behind === 0;
};
