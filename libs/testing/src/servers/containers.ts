import { createWriteStream } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { GenericContainer, getContainerRuntimeClient, Wait, type StartedTestContainer } from 'testcontainers';
import type { TestNats } from './nats.ts';
import { freePorts } from './ports.ts';
import { databaseName } from './postgres-binary.ts';
import type { TestPostgres } from './postgres.ts';
import { waitFor } from './wait.ts';

const images = {
  postgres: process.env['REEL_TEST_POSTGRES_IMAGE'] || 'postgres:18-alpine',
  nats: process.env['REEL_TEST_NATS_IMAGE'] || 'nats:2.12-alpine',
};

const readyWithinMs = 60_000;

/** A container on host ports of its own, so that it can be stopped, killed and started where clients know it. */
class ContainerServer {
  /** No pid on this machine. */
  readonly pid = -1;
  readonly #ready: () => Promise<true | undefined>;
  protected container: StartedTestContainer;

  constructor(container: StartedTestContainer, ready: () => Promise<true | undefined>) {
    this.container = container;
    this.#ready = ready;
  }

  protected async handle() {
    return (await getContainerRuntimeClient()).container.getById(this.container.getId());
  }

  protected async isRunning(): Promise<boolean> {
    return (await (await this.handle()).inspect()).State.Running;
  }

  async stop(): Promise<void> {
    if (await this.isRunning()) await (await this.handle()).stop();
  }

  async kill(): Promise<void> {
    if (await this.isRunning()) await (await this.handle()).kill();
  }

  async restart(): Promise<void> {
    await this.stop();
    await (await this.handle()).start();
    await this.untilReady();
  }

  async untilReady(): Promise<void> {
    await waitFor(this.#ready, {
      deadlineMs: readyWithinMs,
      everyMs: 100,
      describe: 'the container does not serve',
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await (await this.handle()).remove({ force: true, v: true });
  }
}

class ContainerPostgres extends ContainerServer implements TestPostgres {
  readonly url: string;

  constructor(container: StartedTestContainer) {
    super(container, async () => {
      // Asked over TCP: while it is being initialised, the image's server takes local sockets only.
      const isReady = ['pg_isready', '-h', '127.0.0.1', '-U', databaseName];
      const result = await container.exec(isReady).catch(() => undefined);

      return result?.exitCode === 0 || undefined;
    });
    const place = `${container.getHost()}:${container.getMappedPort(5432)}`;
    this.url = `postgresql://${databaseName}:${databaseName}@${place}/${databaseName}`;
  }
}

/** PostgreSQL from an image (REEL_TEST_POSTGRES_IMAGE). */
export const startContainerPostgres = async (): Promise<TestPostgres> => {
  const [port = 0] = await freePorts(1);
  const container = await new GenericContainer(images.postgres)
    .withEnvironment({
      POSTGRES_USER: databaseName,
      POSTGRES_PASSWORD: databaseName,
      POSTGRES_DB: databaseName,
    })
    .withExposedPorts({ container: 5432, host: port })
    .withWaitStrategy(Wait.forListeningPorts())
    .start();
  const server = new ContainerPostgres(container);
  await server.untilReady();

  return server;
};

type NatsPorts = { readonly client: number; readonly monitor: number };

const natsContainer = async (
  ports: NatsPorts,
  jetstream: boolean,
  store?: Buffer,
): Promise<StartedTestContainer> => {
  const container = new GenericContainer(images.nats)
    .withCommand([...(jetstream ? ['-js', '-sd', '/data'] : []), '-m', '8222'])
    .withExposedPorts({ container: 4222, host: ports.client }, { container: 8222, host: ports.monitor })
    .withWaitStrategy(Wait.forListeningPorts());
  if (store) container.withCopyArchivesToContainer([{ tar: Readable.from([store]), target: '/' }]);

  return container.start();
};

class ContainerNats extends ContainerServer implements TestNats {
  readonly url: string;
  readonly port: number;
  readonly monitorUrl: string;
  readonly #ports: NatsPorts;
  #snapshotDir: string | undefined;
  #snapshots = 0;

  constructor(container: StartedTestContainer, ports: NatsPorts) {
    const monitorUrl = `http://${container.getHost()}:${ports.monitor}`;
    super(container, async () => {
      const response = await fetch(`${monitorUrl}/healthz`).catch(() => undefined);

      return response?.ok || undefined;
    });
    this.#ports = ports;
    this.port = ports.client;
    this.url = `nats://${container.getHost()}:${ports.client}`;
    this.monitorUrl = monitorUrl;
  }

  async snapshot(): Promise<string> {
    this.#snapshotDir ??= await mkdtemp(join(tmpdir(), 'reel-nats-'));
    const file = join(this.#snapshotDir, `${++this.#snapshots}.tar`);
    await this.stop();
    const archive = await (await this.handle()).getArchive({ path: '/data' });
    await pipeline(archive, createWriteStream(file));
    await this.restart();

    return file;
  }

  /** In a new container: an archive can add files to a store, but not take any away. */
  async restore(snapshot: string): Promise<void> {
    await super[Symbol.asyncDispose]();
    this.container = await natsContainer(this.#ports, true, await readFile(snapshot));
    await this.untilReady();
  }

  override async [Symbol.asyncDispose](): Promise<void> {
    await super[Symbol.asyncDispose]();
    if (this.#snapshotDir) await rm(this.#snapshotDir, { recursive: true, force: true });
  }
}

/** A nats-server from an image (REEL_TEST_NATS_IMAGE). */
export const startContainerNats = async (jetstream: boolean): Promise<TestNats> => {
  const [client = 0, monitor = 0] = await freePorts(2);
  const ports = { client, monitor };
  const server = new ContainerNats(await natsContainer(ports, jetstream), ports);
  await server.untilReady();

  return server;
};
