import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:net';

/** Below those that Linux gives to clients (from 32768 on) and those of media: nobody takes one but who asks for it by number. */
const range = { first: 10_000, end: 16_000 } as const;

/** A TCP port of `host` that was free a moment ago, for servers that must know their port beforehand. */
export const freePort = async (host = '127.0.0.1'): Promise<number> => (await freePorts(1, host))[0] ?? 0;

/** Several distinct free TCP ports. */
export const freePorts = async (count: number, host = '127.0.0.1'): Promise<readonly number[]> => {
  const held = new Map<number, Server>();
  while (held.size < count) {
    const port = randomInt(range.first, range.end);
    const server = held.has(port) ? undefined : await listen(port, host);
    if (server) held.set(port, server);
  }
  await Promise.all([...held.values()].map((server) => once(server.close(), 'close')));

  return [...held.keys()];
};

/** Undefined where the port is taken. */
const listen = async (port: number, host: string): Promise<Server | undefined> => {
  const server = createServer().listen(port, host);
  try {
    await once(server, 'listening');

    return server;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') return undefined;
    throw error;
  }
};
