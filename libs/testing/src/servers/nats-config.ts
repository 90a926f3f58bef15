import type { NatsBinary } from './nats-binary.ts';

/** What a private nats-server of ours is told; times and limits not named here are the server's own. */
export type NatsConfig = {
  readonly name: string;
  readonly host: string;
  /** -1: a free one; the server writes it into its ports file. */
  readonly port: number;
  /** For health; -1 as above. */
  readonly monitorPort: number;
  readonly portsDir?: string;
  /** JetStream is on where this is given. */
  readonly storeDir?: string;
  /** How often JetStream syncs to disk, e.g. `1s` or `always`. Ignored before 2.10, which doesn't know it. */
  readonly syncInterval?: string;
  readonly cluster?: { readonly name: string; readonly port: number; readonly routes: readonly number[] };
};

/** A nats-server configuration file. */
export const formatNatsConfig = (config: NatsConfig, version: NatsBinary['version']): string => {
  const quoted = (value: string): string => JSON.stringify(value);
  const knowsSyncInterval = version[0] > 2 || (version[0] === 2 && version[1] >= 10);
  const sync =
    config.syncInterval && knowsSyncInterval ? `, sync_interval: ${quoted(config.syncInterval)}` : '';
  const { host, cluster } = config;

  return [
    `server_name: ${quoted(config.name)}`,
    `listen: ${quoted(`${host}:${config.port}`)}`,
    `http: ${quoted(`${host}:${config.monitorPort}`)}`,
    config.portsDir && `ports_file_dir: ${quoted(config.portsDir)}`,
    config.storeDir && `jetstream { store_dir: ${quoted(config.storeDir)}${sync} }`,
    cluster &&
      `cluster { name: ${quoted(cluster.name)}, listen: ${quoted(`${host}:${cluster.port}`)}, routes: [${cluster.routes
        .map((port) => quoted(`nats://${host}:${port}`))
        .join(', ')}] }`,
    '',
  ]
    .filter((line) => line !== undefined)
    .join('\n');
};
