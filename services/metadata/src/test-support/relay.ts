import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { Socket } from 'node:net';

/** A TCP relay that can lose what the server answers, and be away for a while. */
export type Relay = AsyncDisposable & {
  readonly port: number;
  /** From now on, what clients send arrives, and what the server answers doesn't. */
  loseAnswers(): void;
  /** Cuts all connections and refuses new ones. */
  cut(): void;
  /** Takes connections again, and loses nothing. */
  heal(): void;
};

export const startRelay = async (targetPort: number): Promise<Relay> => {
  const sockets = new Set<Socket>();
  let losing = false;
  let away = false;
  const keep = (socket: Socket): Socket => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));

    return socket;
  };
  const server = createServer((socket) => {
    const client = keep(socket);
    if (away) return void client.destroy();
    const upstream = keep(connect(targetPort, '127.0.0.1'));
    client.on('data', (bytes) => upstream.write(bytes));
    upstream.on('data', (bytes) => void (losing || client.write(bytes)));
    client.on('close', () => upstream.destroy());
    upstream.on('close', () => client.destroy());
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const address = server.address();
  const cut = (): void => {
    away = true;
    for (const socket of sockets) socket.destroy();
  };

  return {
    port: typeof address === 'object' && address ? address.port : 0,
    loseAnswers: () => void (losing = true),
    cut,
    heal: () => {
      losing = false;
      away = false;
    },
    [Symbol.asyncDispose]: async () => {
      cut();
      server.close();
      await once(server, 'close');
    },
  };
};
