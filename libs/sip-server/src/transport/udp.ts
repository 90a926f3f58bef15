import { createSocket } from 'node:dgram';
import type { Socket, SocketOptions } from 'node:dgram';
import { once } from 'node:events';
import type { Endpoint, Flow } from './endpoint.ts';
import { isIpv6, plainAddress, reachableAddress } from './endpoint.ts';
import type { TransportEvents } from './events.ts';
import { PROBE_MS, QueueProbe } from './queue-probe.ts';

/** Room for bursts while the event loop is busy: about 1,000 messages of 2 kB. */
const RECEIVE_BUFFER_BYTES = 2 * 1024 * 1024;

/** One UDP socket: each datagram is one message (RFC 3261 §18.3). */
export class UdpTransport implements AsyncDisposable {
  readonly bound: Endpoint;
  readonly #socket: Socket;
  readonly #probe = new QueueProbe();
  readonly #probing: NodeJS.Timeout;
  #isClosed = false;

  private constructor(socket: Socket, bound: Endpoint, events: TransportEvents) {
    this.#socket = socket;
    this.bound = bound;
    const self = reachableAddress(bound.address, isIpv6(bound.address) ? '::1' : '127.0.0.1');
    this.#probing = setInterval(() => this.#sendProbe(self), PROBE_MS).unref();
    socket.on('error', (error) => events.failed('udp.socket-error', error));
    socket.on('message', (bytes, from) => {
      if (this.#probe.takes(bytes, performance.now())) return;
      const address = plainAddress(from.address);
      const reachable = reachableAddress(bound.address, address);
      const local = reachable === bound.address ? bound : { ...bound, address: reachable };
      const flow = { local, remote: { protocol: 'udp', address, port: from.port } } as const;
      if (isKeepAlive(bytes)) events.counted('udp.keepalive');
      else events.arrived(bytes, flow);
    });
  }

  /** Binds; rejects with the system's error (EADDRINUSE, EACCES, …). */
  static async listen(wanted: Endpoint, ipv6Only: boolean, events: TransportEvents): Promise<UdpTransport> {
    const type = isIpv6(wanted.address) ? 'udp6' : 'udp4';
    const socket = createSocket({ type, ipv6Only, lookup: asItIs });
    // Asked before: without a resolver to wait for, it listens at once.
    const listening = once(socket, 'listening');
    socket.bind(wanted.port, wanted.address);
    await listening;
    socket.setRecvBufferSize(RECEIVE_BUFFER_BYTES);
    const { address, port } = socket.address();
    return new UdpTransport(socket, { protocol: 'udp', address, port }, events);
  }

  /** How long a datagram waits before we read it, in ms. */
  get queueMs(): number {
    return this.#probe.ms(performance.now());
  }

  /** Sends to the flow's remote endpoint; `failed` hears of an unreachable one, if the system says so. */
  send(bytes: Buffer, flow: Flow, failed: (error: Error) => void): void {
    if (this.#isClosed) return;
    const { address, port } = flow.remote;
    // A dual-stack socket knows IPv4 peers by their mapped addresses.
    const isMapped = isIpv6(this.bound.address) && !isIpv6(address);
    this.#socket.send(bytes, port, isMapped ? `::ffff:${address}` : address, (error) => {
      if (error !== null) failed(error);
    });
  }

  #sendProbe(self: string): void {
    const probe = this.#probe.beat(performance.now());
    if (probe !== undefined) this.#socket.send(probe, this.bound.port, self, () => {});
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#socket, 'close');
    this.#isClosed = true;
    clearInterval(this.#probing);
    this.#socket.close();
    await closed;
  }
}

/** What we send to are addresses: Node would ask its resolver for each datagram, and send a turn later. */
const asItIs: NonNullable<SocketOptions['lookup']> = (address, _options, done) =>
  done(null, address, isIpv6(address) ? 6 : 4);

/** Nothing but line ends and zeros: phones send such datagrams to hold a NAT binding open. */
function isKeepAlive(bytes: Buffer): boolean {
  return bytes.length <= 8 && bytes.every((byte) => byte === 13 || byte === 10 || byte === 0);
}
