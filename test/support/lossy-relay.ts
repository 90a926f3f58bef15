import { createSocket } from 'node:dgram';
import type { Socket } from 'node:dgram';
import { once } from 'node:events';

/** Numbers from 0 to 1, the same for the same seed (mulberry32). */
export const seeded = (seed: number): (() => number) => {
  let state = seed;

  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;

    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
};

export type Weather = {
  readonly seed: number;
  /** Share of datagrams that are lost, and of those that arrive twice, in each direction. */
  readonly loss: number;
  readonly doubled: number;
};

/**
 * Stands between one caller and a UDP server of loopback, and loses and doubles what passes. The server sees the relay's
 * address as the caller's.
 */
export class LossyRelay implements AsyncDisposable {
  readonly port: number;
  lost = 0;
  doubled = 0;
  readonly #near: Socket;
  readonly #far: Socket;
  readonly #random: () => number;
  readonly #weather: Weather;
  #caller = 0;

  private constructor(near: Socket, far: Socket, server: number, weather: Weather) {
    this.#near = near;
    this.#far = far;
    this.#weather = weather;
    this.#random = seeded(weather.seed);
    this.port = near.address().port;
    near.on('message', (bytes, { port }) => {
      this.#caller = port;
      this.#pass(() => far.send(bytes, server, '127.0.0.1'));
    });
    far.on('message', (bytes) => this.#pass(() => near.send(bytes, this.#caller, '127.0.0.1')));
  }

  static async to(server: number, weather: Weather): Promise<LossyRelay> {
    const [near, far] = [createSocket('udp4'), createSocket('udp4')];
    for (const socket of [near, far]) {
      socket.bind(0, '127.0.0.1');
      await once(socket, 'listening');
    }

    return new LossyRelay(near, far, server, weather);
  }

  #pass(send: () => void): void {
    const { loss, doubled } = this.#weather;
    const chance = this.#random();
    if (chance < loss) return void (this.lost += 1);
    send();
    if (chance < loss + doubled) {
      this.doubled += 1;
      send();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = [this.#near, this.#far].map((socket) => once(socket, 'close'));
    this.#near.close();
    this.#far.close();
    await Promise.all(closed);
  }
}
