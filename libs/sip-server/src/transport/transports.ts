import type { Endpoint, Flow, Protocol } from './endpoint.ts';
import { formatEndpoint, isIpv6, plainAddress, reachableAddress } from './endpoint.ts';
import type { TransportEvents } from './events.ts';
import type { TcpLimits } from './tcp.ts';
import { TcpTransport } from './tcp.ts';
import { UdpTransport } from './udp.ts';

/** A wanted address could not be bound. */
export class ListenError extends Error {
  readonly code = 'SIP_LISTEN';
  readonly fault = 'theirs';
  /** Which of the two: the addresses for SIP, or the one for applications. */
  readonly side: 'listen' | 'control';

  constructor(side: 'listen' | 'control', address: string, cause: unknown) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    super(`cannot listen on ${address}: ${reason}`, { cause });
    this.name = 'ListenError';
    this.side = side;
  }
}

/** All sockets of the server behind one `send`. */
export class Transports implements AsyncDisposable {
  readonly #all: (UdpTransport | TcpTransport)[] = [];
  readonly #events: TransportEvents;
  readonly #limits: TcpLimits;

  constructor(events: TransportEvents, limits: TcpLimits) {
    this.#events = events;
    this.#limits = limits;
  }

  /** Binds every wanted address, or none: throws ListenError naming the one that can't be had. */
  async listen(wanted: readonly Endpoint[]): Promise<void> {
    for (const endpoint of wanted) {
      try {
        this.#all.push(await this.#bind(endpoint));
      } catch (error) {
        await this[Symbol.asyncDispose]();
        throw new ListenError('listen', formatEndpoint(endpoint), error);
      }
    }
  }

  #bind(endpoint: Endpoint): Promise<UdpTransport | TcpTransport> {
    return endpoint.protocol === 'udp'
      ? UdpTransport.listen(endpoint, this.#events)
      : TcpTransport.listen(endpoint, this.#events, this.#limits);
  }

  /** Where we listen, in configured order; port 0 replaced by the real one. */
  get endpoints(): Endpoint[] {
    return this.#all.map((each) => each.bound);
  }

  /** A way to a peer from a listener of its protocol and family, or undefined where there is none. */
  flowTo(remote: Endpoint): Flow | undefined {
    const transport = this.#pick(remote.protocol, remote.address);
    if (transport === undefined) return undefined;
    const address = reachableAddress(transport.bound.address, remote.address);
    return { local: { ...transport.bound, address }, remote };
  }

  /** Sends without waiting; `failed` is called at most once, and not before this returns. */
  send(bytes: Buffer, flow: Flow, failed: (error: Error) => void): void {
    const transport = this.#owning(flow.local) ?? this.#pick(flow.local.protocol, flow.remote.address);
    if (transport === undefined) {
      setImmediate(failed, new Error(`no ${flow.local.protocol} transport`));
      return;
    }
    transport.send(bytes, flow, failed);
  }

  /** True for a flow over UDP, or over a stream connection that still stands. */
  isOpen(flow: Flow): boolean {
    const transport = this.#owning(flow.local);
    return transport instanceof TcpTransport ? transport.isOpen(flow) : transport !== undefined;
  }

  /** True where an endpoint is one of our own. */
  isOurs(remote: Endpoint): boolean {
    return this.#all.some(
      ({ bound }) =>
        bound.protocol === remote.protocol &&
        bound.port === remote.port &&
        reachableAddress(bound.address, remote.address) === plainAddress(remote.address),
    );
  }

  #owning(local: Endpoint): UdpTransport | TcpTransport | undefined {
    return this.#all.find(({ bound }) => bound.protocol === local.protocol && bound.port === local.port);
  }

  #pick(protocol: Protocol, address: string): UdpTransport | TcpTransport | undefined {
    return this.#all.find(
      ({ bound }) =>
        bound.protocol === protocol && (bound.address === '::' || isIpv6(bound.address) === isIpv6(address)),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#all.map((each) => each[Symbol.asyncDispose]()));
  }
}
