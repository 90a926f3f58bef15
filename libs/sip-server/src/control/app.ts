import { randomUUID } from 'node:crypto';
import type { Socket } from 'node:net';
import { formatFrame } from './frame.ts';

/** An application that reads so slowly that this much waits for it is disconnected, and may come back. */
const MAX_QUEUED_BYTES = 16 * 1024 * 1024;

/** One authenticated application, as long as its connection lasts. */
export class App {
  readonly id: string = randomUUID();
  /** What it said it is; an application that returns with the same tags inherits its dialogs. */
  readonly tags: string;
  /** Methods it takes new requests of, upper case. */
  readonly routes = new Set<string>();
  readonly #socket: Socket;
  #isGathering = false;

  constructor(socket: Socket, tags: string) {
    this.#socket = socket;
    this.tags = tags;
  }

  get isConnected(): boolean {
    return !this.#socket.destroyed && this.#socket.writable;
  }

  send(meta: string, message?: Buffer): void {
    if (!this.isConnected) return;
    this.#gather();
    this.#socket.write(formatFrame(meta, message));
    if (this.#socket.writableLength > MAX_QUEUED_BYTES) this.#socket.destroy();
  }

  /** Frames of one turn of the event loop leave in one write: under load that is what a frame costs. */
  #gather(): void {
    if (this.#isGathering) return;
    this.#isGathering = true;
    this.#socket.cork();
    setImmediate(() => {
      this.#isGathering = false;
      this.#socket.uncork();
    });
  }
}
