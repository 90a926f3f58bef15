import { createSocket } from 'node:dgram';
import { lookup } from 'node:dns/promises';
import { isIP, isIPv6 } from 'node:net';
import { CallError } from '../errors.ts';
import type { SipMessage } from './message.ts';

export type CallerTransport = 'udp' | 'tcp' | 'tls';

export type Peer = { readonly address: string; readonly port: number };

/** A message that came in; `reply` goes back the way it came. */
export type Arrival = { readonly message: SipMessage; readonly reply: (message: SipMessage) => void };

/** Carries messages of one transport, from one local port: what Via and Contact say. */
export interface Wire extends AsyncDisposable {
  readonly transport: CallerTransport;
  readonly local: Peer;
  /** True where retransmission is the transport's business. */
  readonly reliable: boolean;
  /** Rejects with CallError `CALL_UNREACHABLE`. */
  send(message: SipMessage, to: Peer): Promise<void>;
}

export const unreachable = (peer: Peer, cause: unknown): CallError =>
  new CallError(
    'CALL_UNREACHABLE',
    `${peer.address}:${peer.port} can't be reached: ${cause instanceof Error ? cause.message : String(cause)}`,
    { cause },
  );

/** IP address of a host name; an address stays as it is. */
export const resolveHost = async (host: string): Promise<string> => {
  if (isIP(host)) return host;
  try {
    return (await lookup(host)).address;
  } catch (cause) {
    throw new CallError('CALL_UNREACHABLE', `there is no host ${host}`, { cause });
  }
};

/** Our address on the way to a peer, as the routing table has it; nothing is sent. */
export const localAddressTowards = (peer: Peer): Promise<string> =>
  new Promise((resolve, reject) => {
    const socket = createSocket(isIPv6(peer.address) ? 'udp6' : 'udp4');
    socket.once('error', (error) => {
      socket.close();
      reject(unreachable(peer, error));
    });
    socket.connect(peer.port, peer.address, () => {
      const { address } = socket.address();
      socket.close();
      resolve(address);
    });
  });
