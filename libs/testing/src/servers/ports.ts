import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type ListenOptions, type Server } from 'node:net';

/** Below those that Linux gives to clients (from 32768 on) and those of media: nobody takes one but who asks for it by number. */
const range = { first: 10_000, end: 16_000 } as const;

/** A TCP port of `host` that is free, for servers that must know their port beforehand. */
export const freePort = async (host = '127.0.0.1'): Promise<number> => (await freePorts(1, host))[0] ?? 0;

/** Several distinct free TCP ports. As long as this process lives they are given to nobody else who asks here, in whatever process. */
export const freePorts = async (count: number, host = '127.0.0.1'): Promise<readonly number[]> => {
  const ports: number[] = [];
  while (ports.length < count) {
    const port = randomInt(range.first, range.end);
    if ((await claimPort(port)) && (await isFree(port, host))) ports.push(port);
  }

  return ports;
};

/**
 * Speaks for a port before it is bound; false where somebody does already. The mark is an abstract socket of the port's name (unix(7)): of
 * all processes of the machine one has it, and it is gone with that process, however that ends.
 */
export const claimPort = async (port: number): Promise<boolean> => {
  const mark = await tryListen({ path: `\0reelstream-port-${port}` });
  mark?.unref();

  return mark !== undefined;
};

const isFree = async (port: number, host: string): Promise<boolean> => {
  const server = await tryListen({ port, host });
  if (server) await once(server.close(), 'close');

  return server !== undefined;
};

/** Undefined where the address is taken. */
const tryListen = async (address: ListenOptions): Promise<Server | undefined> => {
  const server = createServer().listen(address);
  try {
    await once(server, 'listening');

    return server;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') return undefined;
    throw error;
  }
};
