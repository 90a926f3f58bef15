import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';

/** A TCP relay on loopback that can be cut, as a connection breaks. */
export class Wire implements AsyncDisposable {
  readonly port: number;
  readonly #server: Server;
  readonly #sockets: Set<Socket>;
  /** Those of who connected to it. */
  readonly #near: Set<Socket>;

  private constructor(server: Server, sockets: Set<Socket>, near: Set<Socket>) {
    this.#server = server;
    this.#sockets = sockets;
    this.#near = near;
    this.port = (server.address() as AddressInfo).port;
  }

  static async to(port: number): Promise<Wire> {
    const sockets = new Set<Socket>();
    const allNear = new Set<Socket>();
    const server = createServer((near) => {
      const far = connect(port, '127.0.0.1');
      allNear.add(near);
      near.on('close', () => allNear.delete(near));
      for (const [socket, other] of [
        [near, far],
        [far, near],
      ] as const) {
        sockets.add(socket);
        socket.on('error', () => {});
        socket.on('close', () => {
          sockets.delete(socket);
          other.destroy();
        });
        socket.pipe(other);
      }
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');

    return new Wire(server, sockets, allNear);
  }

  /** What is sent by who connected goes no further, until that connection is cut. */
  hold(): void {
    for (const near of this.#near) {
      near.unpipe();
      near.pause();
    }
  }

  /** Breaks every connection; new ones are relayed again. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.cut();
    await closed;
  }
}
