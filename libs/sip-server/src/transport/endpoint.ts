import type { NetworkInterfaceInfo } from 'node:os';
import { networkInterfaces } from 'node:os';
import { formatHostPort } from '../message/uri.ts';

export type Protocol = 'udp' | 'tcp' | 'tls';

/** An address one can send to or listen on. IPv6 addresses without brackets. */
export type Endpoint = {
  readonly protocol: Protocol;
  readonly address: string;
  readonly port: number;
  /** The domain it was found by, which a certificate of the peer must prove (RFC 5922 §7). */
  readonly name?: string;
};

/** A way to a peer, as plain data: its endpoint, ours, and the stream connection in use, if any. */
export type Flow = { readonly local: Endpoint; readonly remote: Endpoint; readonly connection?: number };

/** `udp/127.0.0.1:5060`, the form of drachtio's host ports and of our settings. */
export function formatEndpoint({ protocol, address, port }: Endpoint): string {
  return `${protocol}/${formatHostPort(address, port)}`;
}

/** Where a URI or Via without a port means (RFC 3261 §19.1.2). */
export function defaultPort(protocol: Protocol): number {
  return protocol === 'tls' ? 5061 : 5060;
}

export function isIpv6(address: string): boolean {
  return address.includes(':');
}

/** `::ffff:10.0.0.1` (a v4 peer of a dual-stack socket) as plain IPv4. */
export function plainAddress(address: string): string {
  return address.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address;
}

/**
 * The address a peer should know a listener by: its own, or for a wildcard one of this machine's — loopback for
 * loopback peers, otherwise the first external one of the peer's family.
 */
export function reachableAddress(bound: string, peer: string): string {
  if (bound !== '0.0.0.0' && bound !== '::') return bound;
  const v6 = isIpv6(peer);
  if (peer.startsWith('127.') || peer === '::1') return v6 ? '::1' : '127.0.0.1';
  const external = interfaces().find((each) => !each.internal && (each.family === 'IPv6') === v6);
  return external?.address ?? (v6 ? '::1' : '127.0.0.1');
}

const REFRESH_MS = 10_000;
let known: { readonly at: number; readonly list: readonly NetworkInterfaceInfo[] } | undefined;

/** This machine's addresses; asked of the system now and then, not for every message. */
function interfaces(): readonly NetworkInterfaceInfo[] {
  const now = performance.now();
  if (known === undefined || now - known.at > REFRESH_MS) {
    known = { at: now, list: Object.values(networkInterfaces()).flatMap((list) => list ?? []) };
  }
  return known.list;
}
