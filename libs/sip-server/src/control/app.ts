import { randomUUID } from 'node:crypto';
import type { Socket } from 'node:net';
import { formatFrame } from './frame.ts';

/** An application that reads so slowly that this much waits for it is disconnected, and may come back. */
const MAX_QUEUED_BYTES = 16 * 1024 * 1024;

/** How long the news of a failure that was sent may wait for company. */
const SOON_MS = 10;

/** One authenticated application, as long as its connection lasts. */
export class App {
  readonly id: string = randomUUID();
  /** What it said it is; an application that returns with the same tags inherits its dialogs. */
  readonly tags: string;
  /** Methods it takes new requests of, upper case. */
  readonly routes = new Set<string>();
  readonly #socket: Socket;
  /** Frames that have not left yet, and what they wait for. */
  #gathered: Buffer[] = [];
  #gatheredBytes = 0;
  #turnEnd: NodeJS.Immediate | undefined;
  #soon: NodeJS.Timeout | undefined;

  constructor(socket: Socket, tags: string) {
    this.#socket = socket;
    this.tags = tags;
  }

  get isConnected(): boolean {
    return !this.#socket.destroyed && this.#socket.writable;
  }

  /** Frames of one turn of the event loop leave in one write: under load that is what a frame costs. */
  send(meta: string, message?: Buffer): void {
    if (!this.#gather(meta, message)) return;
    this.#turnEnd ??= setImmediate(() => this.flush());
  }

  /** The same for what can wait some milliseconds: under load it leaves with the next frame, at no cost. */
  sendSoon(meta: string, message?: Buffer): void {
    if (!this.#gather(meta, message)) return;
    if (this.#turnEnd === undefined) this.#soon ??= setTimeout(() => this.flush(), SOON_MS);
  }

  /** Sends what was gathered. */
  flush(): void {
    clearImmediate(this.#turnEnd);
    clearTimeout(this.#soon);
    this.#turnEnd = undefined;
    this.#soon = undefined;
    const frames = this.#gathered;
    this.#gathered = [];
    this.#gatheredBytes = 0;
    if (frames.length > 0 && this.isConnected) this.#socket.write(Buffer.concat(frames));
  }

  /** False where nobody is there any more. */
  #gather(meta: string, message: Buffer | undefined): boolean {
    if (!this.isConnected) return false;
    const frame = formatFrame(meta, message);
    this.#gathered.push(frame);
    this.#gatheredBytes += frame.length;
    if (this.#gatheredBytes + this.#socket.writableLength > MAX_QUEUED_BYTES) this.#socket.destroy();
    return true;
  }
}
