import { createSocket } from 'node:dgram';
import type { RemoteInfo, Socket } from 'node:dgram';
import { once } from 'node:events';

const bind = async (address: string): Promise<Socket> => {
  const socket = createSocket('udp4');
  socket.bind(0, address);
  await once(socket, 'listening');
  // Whoever doesn't listen must not end the relay (ICMP port unreachable).
  socket.on('error', () => undefined);

  return socket;
};

/**
 * A NAT between a caller's media and whoever records it: what is sent to `port` goes on from another address and port, and
 * what comes back there goes to who sent last.
 */
export class MediaRelay implements Disposable {
  readonly #inside: Socket;
  #outside: Socket;
  readonly #to: { readonly address: string; readonly port: number };
  #sender: RemoteInfo | undefined;

  private constructor(inside: Socket, outside: Socket, to: MediaRelay['destination']) {
    this.#inside = inside;
    this.#outside = outside;
    this.#to = to;
    inside.on('message', (packet, sender) => {
      this.#sender = sender;
      this.#outside.send(packet, this.#to.port, this.#to.address, () => undefined);
    });
    this.#listen();
  }

  /** `outside`: the address of the NAT as the other side sees it. */
  static async open(
    to: { readonly address: string; readonly port: number },
    outside = '127.0.0.1',
  ): Promise<MediaRelay> {
    return new MediaRelay(await bind('127.0.0.1'), await bind(outside), to);
  }

  get destination(): { readonly address: string; readonly port: number } {
    return this.#to;
  }

  /** Where to send to, on 127.0.0.1. */
  get port(): number {
    return this.#inside.address().port;
  }

  /** The port that the other side sees. */
  get outsidePort(): number {
    return this.#outside.address().port;
  }

  /** The NAT forgets its mapping and makes another, perhaps with another address. */
  async move(outside = this.#outside.address().address): Promise<void> {
    const before = this.#outside;
    this.#outside = await bind(outside);
    this.#listen();
    before.close();
  }

  [Symbol.dispose](): void {
    this.#inside.close();
    this.#outside.close();
  }

  #listen(): void {
    this.#outside.on('message', (packet) => {
      if (this.#sender) this.#inside.send(packet, this.#sender.port, this.#sender.address, () => undefined);
    });
  }
}
