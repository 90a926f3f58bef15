import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ServerChild } from './child.ts';
import { useContainers } from './container-engine.ts';
import { boundToParent } from './command.ts';
import { findNatsServer, type NatsBinary } from './nats-binary.ts';
import { formatNatsConfig, type NatsConfig } from './nats-config.ts';
import { freePorts } from './ports.ts';

/** A nats-server of its own for one test file, on loopback. */
export interface TestNats extends AsyncDisposable {
  /** For NATS_URL. Stays the same over restarts. */
  readonly url: string;
  readonly port: number;
  /** The monitoring endpoint, e.g. for /jsz. */
  readonly monitorUrl: string;
  readonly pid: number;
  /** Ends it cleanly. */
  stop(): Promise<void>;
  /** SIGKILL, as in a crash. */
  kill(): Promise<void>;
  /** Starts it again on the same port and store, after stop(), kill() or while it runs. */
  restart(): Promise<void>;
  /** Copies the JetStream store as it is now, restarting the server for it. Returns what restore() takes. */
  snapshot(): Promise<string>;
  /** Puts the store back to a snapshot, restarting the server: what it stored since is forgotten. */
  restore(snapshot: string): Promise<void>;
}

/** Several servers as one cluster. */
export interface TestNatsCluster extends AsyncDisposable {
  /** All servers, comma separated. */
  readonly url: string;
  readonly servers: readonly TestNats[];
}

/**
 * Starts a nats-server with JetStream (unless `jetstream` is false) on a free port, in about 0.1 s. It ends with the
 * process that started it, however that ends; disposing it removes its store too.
 */
export const startNats = async (options: { readonly jetstream?: boolean } = {}): Promise<TestNats> => {
  const { jetstream = true } = options;
  if (useContainers()) return (await import('./containers.ts')).startContainerNats(jetstream);
  const server = await createServer('nats', { jetstream });
  await startAll([server]);

  return server;
};

/** Starts `size` servers that form a JetStream cluster with a leader; about three seconds. Never in containers. */
export const startNatsCluster = async (size = 3): Promise<TestNatsCluster> => {
  const routes = await freePorts(size);
  const servers = await Promise.all(
    routes.map((port, index) =>
      createServer(`nats-${index + 1}`, { jetstream: true, cluster: { name: 'test', port, routes } }),
    ),
  );
  await startAll(servers);

  return {
    url: servers.map(({ url }) => url).join(','),
    servers,
    [Symbol.asyncDispose]: () => disposeAll(servers),
  };
};

const disposeAll = async (servers: readonly PrivateNats[]): Promise<void> => {
  await Promise.all(servers.map((server) => server[Symbol.asyncDispose]()));
};

const startAll = async (servers: readonly PrivateNats[]): Promise<void> => {
  try {
    await Promise.all(servers.map((server) => server.restart()));
  } catch (error) {
    await disposeAll(servers);
    throw error;
  }
};

type Shape = { readonly jetstream: boolean; readonly cluster?: NonNullable<NatsConfig['cluster']> };

const createServer = async (name: string, shape: Shape): Promise<PrivateNats> =>
  new PrivateNats(name, await findNatsServer(), await mkdtemp(join(tmpdir(), 'reel-nats-')), shape);

const host = '127.0.0.1';

class PrivateNats implements TestNats {
  readonly #name: string;
  readonly #binary: NatsBinary;
  readonly #dir: string;
  readonly #shape: Shape;
  /** Free ones at the first start, the same ones ever after. */
  #ports = { client: -1, monitor: -1 };
  #child: ServerChild | undefined;
  #snapshots = 0;

  constructor(name: string, binary: NatsBinary, dir: string, shape: Shape) {
    this.#name = name;
    this.#binary = binary;
    this.#dir = dir;
    this.#shape = shape;
  }

  get url(): string {
    return `nats://${host}:${this.#ports.client}`;
  }

  get port(): number {
    return this.#ports.client;
  }

  get monitorUrl(): string {
    return `http://${host}:${this.#ports.monitor}`;
  }

  get pid(): number {
    return this.#child?.pid ?? -1;
  }

  get #store(): string {
    return join(this.#dir, 'store');
  }

  async stop(): Promise<void> {
    await this.#child?.end('SIGTERM');
  }

  async kill(): Promise<void> {
    await this.#child?.end('SIGKILL');
  }

  async restart(): Promise<void> {
    await this.stop();
    const configFile = join(this.#dir, 'nats.conf');
    await mkdir(this.#store, { recursive: true });
    await writeFile(configFile, this.#config());
    const { command } = this.#binary;
    const child = new ServerChild(
      boundToParent({ ...command, args: [...command.args, '-c', configFile] }, 'KILL'),
      join(this.#dir, 'log'),
    );
    this.#child = child;
    this.#ports = await child.ready(() => this.#readPorts(child.pid));
    await child.ready(() => this.#healthy());
  }

  async snapshot(): Promise<string> {
    const snapshot = join(this.#dir, `snapshot-${++this.#snapshots}`);
    await this.stop();
    await cp(this.#store, snapshot, { recursive: true });
    await this.restart();

    return snapshot;
  }

  async restore(snapshot: string): Promise<void> {
    await this.stop();
    await rm(this.#store, { recursive: true });
    await cp(snapshot, this.#store, { recursive: true });
    await this.restart();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    await rm(this.#dir, { recursive: true, force: true, maxRetries: 3 });
  }

  #config(): string {
    const { jetstream, cluster } = this.#shape;

    return formatNatsConfig(
      {
        name: this.#name,
        host,
        port: this.#ports.client,
        monitorPort: this.#ports.monitor,
        portsDir: this.#dir,
        ...(jetstream ? { storeDir: this.#store } : {}),
        ...(cluster ? { cluster } : {}),
      },
      this.#binary.version,
    );
  }

  async #readPorts(pid: number): Promise<{ client: number; monitor: number } | undefined> {
    const file = join(this.#dir, `nats-server_${pid}.ports`);
    const text = await readFile(file, 'utf8').catch(() => '');
    if (!text.endsWith('}')) return undefined;
    const ports = JSON.parse(text) as {
      readonly nats: readonly string[];
      readonly monitoring: readonly string[];
    };
    const port = (urls: readonly string[]): number => Number(new URL(urls[0] ?? '').port);

    return { client: port(ports.nats), monitor: port(ports.monitoring) };
  }

  /** Alone: it serves JetStream. In a cluster: it knows JetStream's leader. */
  async #healthy(): Promise<true | undefined> {
    if (!this.#shape.jetstream) return true;
    const response = await fetch(`${this.monitorUrl}/jsz`).catch(() => undefined);
    if (!response?.ok) return undefined;
    const { disabled, meta_cluster: meta } = (await response.json()) as {
      readonly disabled?: boolean;
      readonly meta_cluster?: { readonly leader?: string };
    };

    return !disabled && (!this.#shape.cluster || meta?.leader) ? true : undefined;
  }
}
