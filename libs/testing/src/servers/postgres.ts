import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { cached } from './cache.ts';
import { useContainers } from './container-engine.ts';
import { ServerChild } from './child.ts';
import { runCommand } from './command.ts';
import { ServerStartError } from './errors.ts';
import { databaseName, initPostgres, postgresCommand } from './postgres-binary.ts';

/** A PostgreSQL of its own for one test file: empty, on a Unix socket in a temporary folder. */
export interface TestPostgres extends AsyncDisposable {
  /** For DATABASE_URL. Stays the same over restarts. */
  readonly url: string;
  readonly pid: number;
  /** Ends it cleanly; open connections are closed. */
  stop(): Promise<void>;
  /** SIGKILL, as in a crash. */
  kill(): Promise<void>;
  /** Starts it again over the same data, after stop(), kill() or while it runs. */
  restart(): Promise<void>;
}

/**
 * Starts PostgreSQL in about 0.3 s (the first time on a machine some seconds: initdb). It ends with the process that
 * started it, however that ends; disposing it removes its data too.
 */
export const startPostgres = async (): Promise<TestPostgres> => {
  if (useContainers()) return (await import('./containers.ts')).startContainerPostgres();
  const dir = await mkdtemp(join(tmpdir(), 'reel-pg-'));
  const server = new PrivatePostgres(dir);
  try {
    await runCommand({
      file: 'cp',
      args: ['-a', '--reflink=auto', join(await template(), 'data'), join(dir, 'data')],
    });
    await server.restart();
  } catch (error) {
    await server[Symbol.asyncDispose]();
    throw error;
  }

  return server;
};

/** An initialised cluster to copy from. */
const template = (): Promise<string> =>
  cached(`postgres-template/${process.arch}-2`, (dir) => initPostgres(join(dir, 'data')));

class PrivatePostgres implements TestPostgres {
  readonly url: string;
  readonly #dir: string;
  #child: ServerChild | undefined;

  constructor(dir: string) {
    this.#dir = dir;
    this.url = socketUrl(dir);
  }

  get pid(): number {
    return this.#child?.pid ?? -1;
  }

  async stop(): Promise<void> {
    await this.#child?.end('SIGINT');
  }

  async kill(): Promise<void> {
    await this.#child?.end('SIGKILL');
  }

  async restart(): Promise<void> {
    await this.stop();
    // After a crash the old backends notice within moments; until then a new postmaster refuses to start.
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#start();
      } catch (error) {
        if (attempt === 10 || !(error instanceof ServerStartError)) throw error;
        await sleep(100);
      }
    }
  }

  async #start(): Promise<void> {
    const data = join(this.#dir, 'data');
    const command = await postgresCommand(
      data,
      { ...forTests, unix_socket_directories: this.#dir },
      { bound: true },
    );
    const child = new ServerChild(command, join(this.#dir, 'log'));
    this.#child = child;
    await child.ready(() => postgresReady(data, child.pid));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    await rm(this.#dir, { recursive: true, force: true, maxRetries: 3 });
  }
}

/** Losing power is not what tests try; everything else behaves as in production. */
const forTests = {
  listen_addresses: '',
  fsync: 'off',
  full_page_writes: 'off',
  shared_buffers: '32MB',
  dynamic_shared_memory_type: 'mmap',
};

/** A DATABASE_URL for a server that listens in `socketDir`. */
export const socketUrl = (socketDir: string): string =>
  `postgresql://${databaseName}@localhost/${databaseName}?host=${encodeURIComponent(socketDir)}`;

/** True once the server with this pid takes connections: it says so in the last line of its pid file. */
export const postgresReady = async (dataDir: string, pid: number): Promise<true | undefined> => {
  const lines = (await readFile(join(dataDir, 'postmaster.pid'), 'utf8').catch(() => '')).split('\n');

  return Number(lines[0]) === pid && lines[7]?.trim() === 'ready' ? true : undefined;
};
