import { createSocket } from 'node:dgram';
import type { Socket } from 'node:dgram';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { RunningCall } from './calls.ts';

const host = '127.0.0.1';
const packetMs = 20;

/** One voice to each call, a packet in 20 ms, until it is stopped: the sequence number is the number of the beat. */
export class Voices {
  /** When each beat was sent, `performance.now()`. */
  readonly sentAt: number[] = [];
  readonly #socket: Socket;
  readonly #ports = new Set<number>();
  #sent = 0;
  readonly #packet = Buffer.alloc(172, 0xd5);
  #isStopped = false;
  readonly #sending: Promise<void>;

  private constructor(socket: Socket, calls: readonly RunningCall[]) {
    this.#socket = socket;
    for (const call of calls) this.add(call);
    this.#packet.writeUInt16BE(0x8000, 0);
    this.#sending = this.#send();
  }

  static async open(calls: readonly RunningCall[]): Promise<Voices> {
    const socket = createSocket('udp4');
    socket.bind(0, host);
    await once(socket, 'listening');

    return new Voices(socket, calls);
  }

  /** Packets so far, of all calls. */
  get sent(): number {
    return this.#sent;
  }

  /** A call that begins later: its first beat. */
  add({ rtpPorts }: RunningCall): number {
    for (const port of rtpPorts) this.#ports.add(port);

    return this.sentAt.length;
  }

  /** A call that ends before the others: the first beat that it does not get. Resolves when its last packet has left. */
  async leave({ rtpPorts }: RunningCall): Promise<number> {
    for (const port of rtpPorts) this.#ports.delete(port);
    const beat = this.sentAt.length;
    await sleep(packetMs);

    return beat;
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#sending;
    this.#socket.close();
  }

  async #send(): Promise<void> {
    const startedAt = performance.now();
    while (!this.#isStopped) {
      const beat = this.sentAt.length;
      await sleep(Math.max(0, startedAt + beat * packetMs - performance.now()));
      this.#packet.writeUInt16BE(beat, 2);
      this.#packet.writeUInt32BE(beat * 160, 4);
      this.sentAt.push(performance.now());
      for (const port of this.#ports) {
        this.#sent += 1;
        this.#packet.writeUInt32BE(port, 8);
        this.#socket.send(Buffer.from(this.#packet), port, host);
      }
    }
    // The last of them must have left.
    await sleep(packetMs);
  }
}
