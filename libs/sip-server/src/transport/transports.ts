import { addressFor } from '@reelstream/domain/addresses';
import type { Endpoint, Flow, Protocol } from './endpoint.ts';
import { formatEndpoint, isIpv6, plainAddress, reachableAddress } from './endpoint.ts';
import type { TransportEvents } from './events.ts';
import { LargeRequests } from './large-requests.ts';
import type { StreamKind, TlsIdentity } from './stream-kind.ts';
import { plain, secure } from './stream-kind.ts';
import type { StreamLimits } from './stream.ts';
import { StreamTransport } from './stream.ts';
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

/** One of our addresses, as peers in `network` (CIDR) know it. */
export type Advertised = { readonly network: string; readonly address: string };

/** All sockets of the server behind one `send`. */
export class Transports implements AsyncDisposable {
  readonly #all: (UdpTransport | StreamTransport)[] = [];
  readonly #events: TransportEvents;
  readonly #limits: StreamLimits;
  readonly #identity: TlsIdentity | undefined;
  readonly #advertise: readonly Advertised[];
  readonly #large = new LargeRequests(
    (bytes, flow, failed) => this.#sendBy(flow, bytes, failed),
    (bytes, flow, failed) => this.#sendBy(flow, bytes, failed),
  );

  constructor(
    events: TransportEvents,
    limits: StreamLimits,
    who: {
      readonly identity: TlsIdentity | undefined;
      readonly advertise: readonly Advertised[] | undefined;
    },
  ) {
    this.#events = events;
    this.#limits = limits;
    this.#identity = who.identity;
    this.#advertise = who.advertise ?? [];
  }

  /** Binds every wanted address, or none: throws ListenError naming the one that can't be had. */
  async listen(wanted: readonly Endpoint[]): Promise<void> {
    for (const endpoint of wanted) {
      try {
        this.#all.push(await this.#bind(endpoint, wanted));
      } catch (error) {
        await this[Symbol.asyncDispose]();
        throw new ListenError('listen', formatEndpoint(endpoint), error);
      }
    }
  }

  async #bind(endpoint: Endpoint, all: readonly Endpoint[]): Promise<UdpTransport | StreamTransport> {
    // `[::]` takes IPv4 as well, unless that has a listener of its own.
    const ipv6Only =
      isIpv6(endpoint.address) &&
      all.some(
        ({ protocol, address, port }) =>
          protocol === endpoint.protocol && port === endpoint.port && !isIpv6(address),
      );
    if (endpoint.protocol === 'udp') return UdpTransport.listen(endpoint, ipv6Only, this.#events);
    const kind = this.#kindOf(endpoint.protocol);
    return StreamTransport.listen(kind, endpoint, ipv6Only, this.#events, this.#limits);
  }

  #kindOf(protocol: 'tcp' | 'tls'): StreamKind {
    if (protocol === 'tcp') return plain;
    if (this.#identity === undefined) throw new Error('TLS needs a certificate and its key');
    return secure(this.#identity, this.#limits.partialMs);
  }

  /** Where we listen, in configured order; port 0 replaced by the real one. */
  get endpoints(): Endpoint[] {
    return this.#all.map((each) => each.bound);
  }

  /** How long a datagram waits at most before we read it, in ms. */
  get queueMs(): number {
    return this.#all.reduce(
      (most, each) => (each instanceof UdpTransport ? Math.max(most, each.queueMs) : most),
      0,
    );
  }

  /** How many stream connections there are. */
  get connections(): number {
    return this.#all.reduce((sum, each) => sum + (each instanceof StreamTransport ? each.size : 0), 0);
  }

  /** A way to a peer from a listener of its protocol and family, or undefined where there is none. */
  flowTo(remote: Endpoint): Flow | undefined {
    const transport = this.#pick(remote.protocol, remote.address);
    if (transport === undefined) return undefined;
    const address = reachableAddress(transport.bound.address, remote.address);
    return { local: { ...transport.bound, address }, remote };
  }

  /** Our end of a flow as the peer knows it: behind a NAT that is another address than the one we are bound to. */
  knownAs({ local, remote }: Flow): Endpoint {
    if (this.#advertise.length === 0) return local;
    return { ...local, address: addressFor(this.#advertise, remote.address, local.address) };
  }

  /** Sends without waiting; `failed` is called at most once, and not before this returns. */
  send(bytes: Buffer, flow: Flow, failed: (error: Error) => void): void {
    if (flow.remote.protocol === 'udp' && this.#large.concerns(bytes)) {
      const stream = this.flowTo({ ...flow.remote, protocol: 'tcp' });
      if (stream !== undefined && this.#large.send(bytes, flow, stream.local, failed)) return;
    }
    this.#sendBy(flow, bytes, failed);
  }

  #sendBy(flow: Flow, bytes: Buffer, failed: (error: Error) => void): void {
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
    return transport instanceof StreamTransport ? transport.isOpen(flow) : transport !== undefined;
  }

  /** True where an endpoint is one of our own. */
  isOurs(remote: Endpoint): boolean {
    return this.#all.some(
      ({ bound }) =>
        bound.protocol === remote.protocol &&
        bound.port === remote.port &&
        (reachableAddress(bound.address, remote.address) === plainAddress(remote.address) ||
          this.#advertise.some(({ address }) => address === plainAddress(remote.address))),
    );
  }

  #owning(local: Endpoint): UdpTransport | StreamTransport | undefined {
    for (const each of this.#all) if (each.bound === local) return each;
    return this.#all.find(
      ({ bound }) =>
        bound.protocol === local.protocol &&
        bound.port === local.port &&
        reachableAddress(bound.address, local.address) === local.address &&
        (bound.address === '::' || isIpv6(bound.address) === isIpv6(local.address)),
    );
  }

  #pick(protocol: Protocol, address: string): UdpTransport | StreamTransport | undefined {
    return this.#all.find(
      ({ bound }) =>
        bound.protocol === protocol && (bound.address === '::' || isIpv6(bound.address) === isIpv6(address)),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#all.map((each) => each[Symbol.asyncDispose]()));
  }
}
