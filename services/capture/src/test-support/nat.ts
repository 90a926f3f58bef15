import { createSocket } from 'node:dgram';
import type { Socket } from 'node:dgram';
import { once } from 'node:events';

/** The far side of a NAT: what we are known by, and what clients are seen as. All of 127.0.0.0/8 is this machine. */
export const natAddress = '127.0.0.9';
const clientsSeenAs = '127.0.0.5';

/**
 * One port of a NAT on both ways: what a client sends to `natAddress` arrives at the same port of 127.0.0.1, from another
 * address and port than the client's own; what is sent back there reaches the client. Nothing else does.
 */
export class NatPort implements Disposable {
  readonly #outside: Socket;
  readonly #inside: Socket;
  #client: { readonly address: string; readonly port: number } | undefined;

  private constructor(outside: Socket, inside: Socket, port: number) {
    this.#outside = outside;
    this.#inside = inside;
    outside.on('message', (bytes, { address, port: from }) => {
      this.#client = { address, port: from };
      inside.send(bytes, port, '127.0.0.1');
    });
    inside.on('message', (bytes) => {
      if (this.#client) outside.send(bytes, this.#client.port, this.#client.address);
    });
  }

  static async open(port: number): Promise<NatPort> {
    const outside = createSocket('udp4');
    const inside = createSocket('udp4');
    outside.bind(port, natAddress);
    inside.bind(0, clientsSeenAs);
    await Promise.all([once(outside, 'listening'), once(inside, 'listening')]);

    return new NatPort(outside, inside, port);
  }

  /** Where clients are seen to come from. */
  get seenAs(): string {
    return `${clientsSeenAs}:${this.#inside.address().port}`;
  }

  [Symbol.dispose](): void {
    this.#outside.close();
    this.#inside.close();
  }
}
