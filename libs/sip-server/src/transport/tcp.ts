import { once } from 'node:events';
import type { Server, Socket } from 'node:net';
import { connect, createServer } from 'node:net';
import type { Endpoint, Flow } from './endpoint.ts';
import { plainAddress, reachableAddress } from './endpoint.ts';
import type { TransportEvents } from './events.ts';
import { StreamFramer } from './stream-framer.ts';

export type TcpLimits = {
  /** A connection on which nothing arrives for this long is closed. */
  readonly idleMs: number;
  /** A message must be complete this long after its first byte. */
  readonly partialMs: number;
  /** A peer that lets us queue more than this is closed. */
  readonly maxQueuedBytes: number;
};

/** Never the same twice in this process, so that a stale flow can't name somebody else's connection. */
let lastConnection = 0;

/** One TCP listener and the connections from and to it, each reused in both directions (RFC 3261 §18). */
export class TcpTransport implements AsyncDisposable {
  readonly bound: Endpoint;
  readonly #server: Server;
  readonly #events: TransportEvents;
  readonly #limits: TcpLimits;
  readonly #connections = new Map<number, Socket>();
  readonly #byRemote = new Map<string, number>();
  #isClosed = false;

  private constructor(server: Server, bound: Endpoint, events: TransportEvents, limits: TcpLimits) {
    this.#server = server;
    this.bound = bound;
    this.#events = events;
    this.#limits = limits;
    server.on('error', (error) => events.failed('tcp.listener-error', error));
    server.on('connection', (socket) => {
      const address = plainAddress(socket.remoteAddress ?? '');
      this.#adopt(socket, { protocol: 'tcp', address, port: socket.remotePort ?? 0 });
    });
  }

  /** Binds; rejects with the system's error (EADDRINUSE, EACCES, …). */
  static async listen(wanted: Endpoint, events: TransportEvents, limits: TcpLimits): Promise<TcpTransport> {
    const server = createServer({ noDelay: true, keepAlive: true });
    server.listen(wanted.port, wanted.address);
    await once(server, 'listening');
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('TCP listener has no address');
    return new TcpTransport(
      server,
      { protocol: 'tcp', address: address.address, port: address.port },
      events,
      limits,
    );
  }

  /** Sends on the flow's connection, or on another to the same endpoint, or on a new one (§18.2.2). */
  send(bytes: Buffer, flow: Flow, failed: (error: Error) => void): void {
    if (this.#isClosed) return;
    const id = flow.connection ?? 0;
    const socket = this.#connections.get(id) ?? this.#connectionTo(flow.remote);
    if (socket.writableLength > this.#limits.maxQueuedBytes) {
      this.#drop(socket, 'backlog');
      failed(new Error('the peer does not read'));
      return;
    }
    socket.write(bytes, (error) => {
      if (error) failed(error);
    });
  }

  /** True while the connection that a flow names is open. */
  isOpen(flow: Flow): boolean {
    return flow.connection !== undefined && this.#connections.has(flow.connection);
  }

  #connectionTo(remote: Endpoint): Socket {
    const known = this.#connections.get(this.#byRemote.get(remoteKey(remote)) ?? 0);
    if (known !== undefined) return known;
    const socket = connect({ host: remote.address, port: remote.port, noDelay: true, keepAlive: true });
    this.#adopt(socket, remote);
    return socket;
  }

  #adopt(socket: Socket, remote: Endpoint): void {
    const connection = ++lastConnection;
    this.#connections.set(connection, socket);
    this.#byRemote.set(remoteKey(remote), connection);
    const local = { ...this.bound, address: reachableAddress(this.bound.address, remote.address) };
    this.#read(socket, { local, remote, connection });
    socket.on('error', (error) => this.#events.failed('tcp.connection-error', error));
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
    if (!socket.writableEnded) this.#events.counted(`tcp.closed.${cause}`);
    if (cause === 'backlog' || socket.writableEnded) socket.destroy();
    else socket.destroySoon();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#isClosed = true;
    this.#server.close();
    for (const socket of this.#connections.values()) socket.destroy();
    await closed;
  }
}

function remoteKey({ address, port }: Endpoint): string {
  return `${address} ${port}`;
}
