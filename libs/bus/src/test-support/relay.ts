import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';

/** A TCP relay before a server, to lose what a network loses. */
export class Relay implements AsyncDisposable {
  readonly #server = createServer((client) => this.#relay(client));
  readonly #target: { readonly host: string; readonly port: number };
  readonly #sockets = new Set<Socket>();
  #trap: { readonly word: string; readonly sprung: () => void } | undefined;
  #open = true;

  private constructor(target: string) {
    const { hostname, port } = new URL(target);
    this.#target = { host: hostname, port: Number(port) };
  }

  static async before(target: string): Promise<Relay> {
    const relay = new Relay(target);
    relay.#server.listen(0, '127.0.0.1');
    await once(relay.#server, 'listening');

    return relay;
  }

  get url(): string {
    return `nats://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /**
   * The next time a client sends `word`, what the server answers is lost and every connection breaks; new ones are
   * refused until `reopen`. Resolves when the server has answered.
   */
  loseAnswerTo(word: string): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#trap = { word, sprung: resolve };

    return promise;
  }

  /** Breaks every connection and refuses new ones until `reopen`. */
  cut(): void {
    this.#open = false;
    for (const socket of this.#sockets) socket.destroy();
  }

  reopen(): void {
    this.#open = true;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #relay(client: Socket): void {
    if (!this.#open) return void client.destroy();
    const server = connect(this.#target);
    let losing: (() => void) | undefined;
    client.on('data', (data) => {
      if (this.#trap && data.includes(this.#trap.word)) {
        losing = this.#trap.sprung;
        this.#trap = undefined;
      }
      server.write(data);
    });
    server.on('data', (data) => {
      if (!losing) return void client.write(data);
      this.cut();
      losing();
    });
    for (const [socket, other] of [
      [client, server],
      [server, client],
    ] as const) {
      this.#sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        this.#sockets.delete(socket);
        other.destroy();
      });
    }
  }
}
