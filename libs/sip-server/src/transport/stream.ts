import { once } from 'node:events';
import type { Server, Socket } from 'node:net';
import type { Endpoint, Flow } from './endpoint.ts';
import { plainAddress, reachableAddress } from './endpoint.ts';
import type { TransportEvents } from './events.ts';
import { StreamFramer } from './stream-framer.ts';
import type { StreamKind } from './stream-kind.ts';

export type StreamLimits = {
  /** A connection on which nothing arrives for this long is closed. */
  readonly idleMs: number;
  /** A message must be complete this long after its first byte, and a TLS handshake after its connection. */
  readonly partialMs: number;
  /** A connection of ours must stand after this time. */
  readonly connectMs: number;
  /** A peer that lets us queue more than this is closed. */
  readonly maxQueuedBytes: number;
  /** Connections of one listener; more are closed at once. */
  readonly maxConnections: number;
};

/** Never the same twice in this process, so that a stale flow can't name somebody else's connection. */
let lastConnection = 0;

/** One TCP or TLS listener and the connections from and to it, each reused in both directions (RFC 3261 §18). */
export class StreamTransport implements AsyncDisposable {
  readonly bound: Endpoint;
  readonly #kind: StreamKind;
  readonly #server: Server;
  readonly #events: TransportEvents;
  readonly #limits: StreamLimits;
  readonly #connections = new Map<number, Socket>();
  readonly #byRemote = new Map<string, number>();
  /** Every socket the listener has taken, also those still shaking hands. */
  readonly #taken = new Set<Socket>();
  #isClosed = false;

  private constructor(
    kind: StreamKind,
    server: Server,
    bound: Endpoint,
    events: TransportEvents,
    limits: StreamLimits,
  ) {
    this.#kind = kind;
    this.#server = server;
    this.bound = bound;
    this.#events = events;
    this.#limits = limits;
    server.maxConnections = limits.maxConnections;
    server.on('error', (error) => events.failed(`${kind.protocol}.listener-error`, error));
    server.on('drop', () => events.counted(`${kind.protocol}.closed.too-many`));
    server.on('tlsClientError', (error: Error, socket: Socket) => {
      events.failed('tls.closed.handshake', error);
      // Node leaves the connection of an overdue handshake open.
      socket.destroy();
    });
    server.on('connection', (socket) => this.#take(socket));
    server.on(kind.accepted, (socket: Socket) => {
      if (socket.destroyed) return;
      const address = plainAddress(socket.remoteAddress ?? '');
      this.#adopt(socket, { protocol: kind.protocol, address, port: socket.remotePort ?? 0 });
    });
  }

  /** Binds; rejects with the system's error (EADDRINUSE, EACCES, …). */
  static async listen(
    kind: StreamKind,
    wanted: Endpoint,
    ipv6Only: boolean,
    events: TransportEvents,
    limits: StreamLimits,
  ): Promise<StreamTransport> {
    const server = kind.createServer();
    server.listen({ port: wanted.port, host: wanted.address, ipv6Only });
    await once(server, 'listening');
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('stream listener has no address');
    const bound = { protocol: kind.protocol, address: address.address, port: address.port };
    return new StreamTransport(kind, server, bound, events, limits);
  }

  /** How many connections there are, of either side's making. */
  get size(): number {
    return this.#connections.size;
  }

  /** Sends on the flow's connection, or on another to the same endpoint, or on a new one (§18.2.2). */
  send(bytes: Buffer, flow: Flow, failed: (error: Error) => void): void {
    if (this.#isClosed) return;
    const socket = this.#open(flow.connection) ?? this.#connectionTo(flow.remote);
    if (socket.writableLength > this.#limits.maxQueuedBytes) {
      this.#drop(socket, 'backlog');
      setImmediate(failed, new Error('the peer does not read'));
      return;
    }
    socket.write(bytes, (error) => {
      if (error) failed(error);
    });
  }

  /** True while the connection that a flow names can be written to. */
  isOpen(flow: Flow): boolean {
    return this.#open(flow.connection) !== undefined;
  }

  /** A connection that its peer has ended, or that failed, is no more even while its close is under way. */
  #open(connection: number | undefined): Socket | undefined {
    const socket = this.#connections.get(connection ?? 0);
    return socket?.writable === true ? socket : undefined;
  }

  #take(socket: Socket): void {
    if (!this.#events.accepts(plainAddress(socket.remoteAddress ?? ''))) {
      socket.destroy();
      return;
    }
    this.#taken.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => this.#taken.delete(socket));
  }

  #connectionTo(remote: Endpoint): Socket {
    const known = this.#open(this.#byRemote.get(remoteKey(remote)));
    if (known !== undefined) return known;
    const socket = this.#kind.connect(remote);
    const overdue = setTimeout(
      () => socket.destroy(new Error('the peer does not accept the connection')),
      this.#limits.connectMs,
    );
    for (const done of [this.#kind.connected, 'close']) socket.once(done, () => clearTimeout(overdue));
    this.#adopt(socket, remote);
    return socket;
  }

  #adopt(socket: Socket, remote: Endpoint): void {
    const connection = ++lastConnection;
    this.#connections.set(connection, socket);
    this.#byRemote.set(remoteKey(remote), connection);
    const local = { ...this.bound, address: reachableAddress(this.bound.address, remote.address) };
    this.#read(socket, { local, remote, connection });
    socket.on('error', (error) => this.#events.failed(`${this.bound.protocol}.connection-error`, error));
    socket.on('close', () => {
      this.#connections.delete(connection);
      if (this.#byRemote.get(remoteKey(remote)) === connection) this.#byRemote.delete(remoteKey(remote));
    });
  }

  #read(socket: Socket, flow: Flow): void {
    const framer = new StreamFramer();
    let partial: NodeJS.Timeout | undefined;
    socket.setTimeout(this.#limits.idleMs, () => this.#drop(socket, 'idle'));
    socket.on('data', (chunk) => {
      for (const item of framer.push(chunk)) {
        if (item.type === 'message') this.#events.arrived(item.bytes, flow);
        else if (item.type === 'keepalive') socket.write('\r\n');
        else {
          if (item.head !== undefined) this.#events.arrived(item.head, flow);
          this.#drop(socket, item.cause);
        }
        clearTimeout(partial);
        partial = undefined;
      }
      if (framer.midMessage)
        partial ??= setTimeout(() => this.#drop(socket, 'partial'), this.#limits.partialMs);
    });
    socket.on('close', () => clearTimeout(partial));
  }

  /** Closes after what is queued has gone out; one that can't take even that is destroyed at its idle timeout. */
  #drop(socket: Socket, cause: string): void {
    if (socket.destroyed) return;
    if (!socket.writableEnded) this.#events.counted(`${this.bound.protocol}.closed.${cause}`);
    if (cause === 'backlog' || socket.writableEnded) socket.destroy();
    else socket.destroySoon();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#isClosed = true;
    this.#server.close();
    for (const socket of this.#connections.values()) socket.destroy();
    for (const socket of this.#taken) socket.destroy();
    await closed;
  }
}

function remoteKey({ address, port, name = '' }: Endpoint): string {
  return `${address} ${port} ${name}`;
}
