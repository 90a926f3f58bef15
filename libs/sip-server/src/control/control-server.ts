import { timingSafeEqual, createHash } from 'node:crypto';
import { once } from 'node:events';
import type { AddressInfo, Server, Socket } from 'node:net';
import { createServer } from 'node:net';
import { App } from './app.ts';
import type { Frame } from './frame.ts';
import { FrameReader, formatFrame } from './frame.ts';
import { okMeta, refusalMeta } from './meta.ts';
import { STORAGE } from './storage-news.ts';

/** Clients ping only servers that say at least v0.8.2. */
const VERSION = 'v0.9.10';
/** A connection must authenticate this soon. */
const AUTHENTICATE_WITHIN_MS = 10_000;

/** What applications do; none of these may throw. */
export type ControlEvents = {
  joined(app: App): void;
  /** It takes new requests of this method (upper case) from now on. */
  routed(app: App, method: string): void;
  /** It wants to know whether dialogs can be saved. */
  watchesStorage(app: App): void;
  sip(app: App, frame: Frame): void;
  proxy(app: App, frame: Frame): void;
  left(app: App): void;
  counted(name: string): void;
};

export type ControlOptions = {
  readonly host: string;
  readonly port: number;
  readonly secret: string;
  /** Host ports to advertise, e.g. `udp/10.0.0.1:5060`. */
  readonly endpoints: readonly string[];
};

/** Where applications connect (drachtio's admin port). */
export class ControlServer implements AsyncDisposable {
  readonly #server: Server;
  readonly #options: ControlOptions;
  readonly #events: ControlEvents;
  readonly #sockets = new Set<Socket>();

  private constructor(server: Server, options: ControlOptions, events: ControlEvents) {
    this.#server = server;
    this.#options = options;
    this.#events = events;
    server.on('connection', (socket) => this.#accept(socket));
    server.on('error', () => events.counted('control.listener-error'));
  }

  /** Binds; rejects with the system's error (EADDRINUSE, EACCES, …). */
  static async listen(options: ControlOptions, events: ControlEvents): Promise<ControlServer> {
    const server = createServer({ noDelay: true, keepAlive: true, keepAliveInitialDelay: 45_000 });
    server.listen(options.port, options.host);
    await once(server, 'listening');
    return new ControlServer(server, options, events);
  }

  get address(): { readonly host: string; readonly port: number } {
    const { address, port } = this.#server.address() as AddressInfo;
    return { host: address, port };
  }

  #accept(socket: Socket): void {
    const reader = new FrameReader();
    let app: App | undefined;
    this.#sockets.add(socket);
    const deadline = setTimeout(() => socket.destroy(), AUTHENTICATE_WITHIN_MS);
    socket.on('data', (chunk) => {
      for (const frame of reader.push(chunk)) {
        if (socket.destroyed || socket.writableEnded) return;
        if (app !== undefined) this.#handle(app, socket, frame);
        else if ((app = this.#authenticate(socket, frame)) !== undefined) clearTimeout(deadline);
      }
      if (reader.broken) this.#reject(socket, 'control.bad-frame');
    });
    socket.on('error', () => this.#events.counted('control.connection-error'));
    socket.on('close', () => {
      clearTimeout(deadline);
      this.#sockets.delete(socket);
      if (app !== undefined) this.#events.left(app);
    });
  }

  #authenticate(socket: Socket, frame: Frame): App | undefined {
    if (frame.type !== 'authenticate') {
      this.#reject(socket, 'control.unauthenticated', refusalMeta(frame.msgId, 'NO', 'not authenticated'));
      return undefined;
    }
    if (!sameSecret(frame.fields[0] ?? '', this.#options.secret)) {
      this.#reject(socket, 'control.wrong-secret', refusalMeta(frame.msgId, 'NO', 'incorrect secret'));
      return undefined;
    }
    const app = new App(socket, frame.fields[1] ?? '');
    const endpoints = this.#options.endpoints.join(',');
    app.send(`${okMeta(frame.msgId)}|${endpoints}|${VERSION}|${endpoints}`);
    this.#events.joined(app);
    return app;
  }

  #handle(app: App, socket: Socket, frame: Frame): void {
    const method = (frame.fields[0] ?? '').toUpperCase();
    switch (frame.type) {
      case 'ping':
        return app.send(`${okMeta(frame.msgId)}|pong`);
      case 'route':
        app.send(okMeta(frame.msgId));
        if (frame.fields[0] === STORAGE) return this.#events.watchesStorage(app);
        app.routes.add(method);
        return this.#events.routed(app, method);
      case 'remove_route':
        app.routes.delete(method);
        return app.send(okMeta(frame.msgId));
      case 'sip':
        return this.#events.sip(app, frame);
      case 'proxy':
        return this.#events.proxy(app, frame);
      default:
        app.flush();
        return this.#reject(
          socket,
          'control.unknown-type',
          refusalMeta(frame.msgId, 'NO', 'Unknown message type'),
        );
    }
  }

  #reject(socket: Socket, counter: string, meta?: string): void {
    if (socket.destroyed || socket.writableEnded) return;
    this.#events.counted(counter);
    if (meta !== undefined) socket.write(formatFrame(meta));
    socket.destroySoon();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }
}

/** Compares in constant time, whatever the lengths. */
function sameSecret(given: string, wanted: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text, 'latin1').digest();
  return timingSafeEqual(digest(given), digest(Buffer.from(wanted, 'utf8').toString('latin1')));
}
