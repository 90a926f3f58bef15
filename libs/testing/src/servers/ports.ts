import { createServer, type AddressInfo } from 'node:net';

/** A TCP port of `host` that was free a moment ago, for servers that must know their port beforehand. */
export const freePort = async (host = '127.0.0.1'): Promise<number> => (await freePorts(1, host))[0] ?? 0;

/** Several distinct free TCP ports. */
export const freePorts = async (count: number, host = '127.0.0.1'): Promise<readonly number[]> => {
  const servers = Array.from({ length: count }, () => createServer());
  const ports = await Promise.all(
    servers.map(
      (server) =>
        new Promise<number>((resolve, reject) => {
          server.once('error', reject);
          server.listen(0, host, () => resolve((server.address() as AddressInfo).port));
        }),
    ),
  );
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));

  return ports;
};
