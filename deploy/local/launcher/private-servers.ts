import { existsSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { once } from 'node:events';
import {
  databaseName,
  findNatsServer,
  formatNatsConfig,
  freePort,
  freePorts,
  initPostgres,
  postgresCommand,
  postgresReady,
  ProgramMissingError,
  socketUrl,
} from '@reelstream/testing';
import { StartupError } from '@reelstream/service';
import type { DataFolder } from './data-folder.ts';
import type { ProcessPlan } from './supervised.ts';

/** A server of our own: how to run it, where it is then, and how to see that it serves. */
export type PrivateServer = {
  readonly plan: ProcessPlan;
  readonly url: string;
  readonly ready: (pid: number) => Promise<true | undefined>;
};

const loopback = '127.0.0.1';
/** Linux allows 107 bytes for the path of a socket, of which the file's name takes 15. */
const longestSocketDir = 90;

/** PostgreSQL over `<data>/postgres`, made at the first start; on a Unix socket, or on loopback where the path is too long. */
export const planPostgres = async (folder: DataFolder, say: (line: string) => void): Promise<PrivateServer> =>
  namingSetting('DATABASE_URL', async () => {
    const password = folder.databasePassword.reveal();
    if (!existsSync(folder.postgres)) {
      say('making the database');
      // Renamed when complete: a first start that is interrupted leaves no half-made database.
      const draft = `${folder.postgres}.draft`;
      rmSync(draft, { recursive: true, force: true });
      await initPostgres(draft, password);
      renameSync(draft, folder.postgres);
    }
    const bySocket = Buffer.byteLength(folder.run) <= longestSocketDir;
    const port = bySocket ? 5432 : await freePort(loopback);
    const command = await postgresCommand(folder.postgres, {
      listen_addresses: bySocket ? '' : loopback,
      port: String(port),
      unix_socket_directories: bySocket ? folder.run : '',
      unix_socket_permissions: '0700',
    });
    const url = bySocket
      ? socketUrl(folder.run)
      : `postgresql://${databaseName}:${password}@${loopback}:${port}/${databaseName}`;

    return {
      plan: { name: 'postgres', command, stopSignal: 'SIGINT' },
      url,
      ready: (pid) => postgresReady(folder.postgres, pid),
    };
  });

/** nats-server with JetStream in `<data>/nats`, on a free loopback port. */
export const planNats = async (folder: DataFolder, say: (line: string) => void): Promise<PrivateServer> =>
  namingSetting('NATS_URL', async () => {
    const patience = setTimeout(
      () => say('fetching nats-server from Debian into the cache (once per machine)'),
      300,
    );
    const { command, version } = await findNatsServer().finally(() => clearTimeout(patience));
    const [port = 0, monitorPort = 0] = await freePorts(2, loopback);
    const configFile = join(folder.nats, 'nats-server.conf');
    const config = {
      name: 'nats-1',
      host: loopback,
      port,
      monitorPort,
      storeDir: folder.nats,
      syncInterval: '1s',
    };
    writeFileSync(configFile, formatNatsConfig(config, version));

    return {
      plan: {
        name: 'nats',
        command: { ...command, args: [...command.args, '-c', configFile] },
        stopSignal: 'SIGTERM',
      },
      url: `nats://${loopback}:${port}`,
      ready: () => accepts(port),
    };
  });

/** A program that can't be had, or PostgreSQL's own refusal, in one line with the setting that avoids it. */
const namingSetting = async <T>(variable: string, plan: () => Promise<T>): Promise<T> => {
  try {
    return await plan();
  } catch (error) {
    if (error instanceof ProgramMissingError) throw new StartupError(error.message, { cause: error });
    const [line] = (error as Error).message
      .split('\n')
      .filter((text) => /error|fatal/i.test(text))
      .slice(-1);
    throw new StartupError(
      `no private server (${variable} would name another): ${line ?? (error as Error).message}`,
      {
        cause: error,
      },
    );
  }
};

const accepts = async (port: number): Promise<true | undefined> => {
  const socket = connect(port, loopback);
  try {
    await once(socket, 'connect');

    return true;
  } catch {
    return undefined;
  } finally {
    socket.destroy();
  }
};
