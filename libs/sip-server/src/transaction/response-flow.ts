import type { SipMessage } from '../message/message.ts';
import { topVia } from '../message/via.ts';
import type { Flow } from '../transport/endpoint.ts';
import { defaultPort } from '../transport/endpoint.ts';

/** The way of a response whose connection is gone: over a new one, to the port of the Via (RFC 3261 §18.2.2). */
export function flowAnew({ local, remote }: Flow, message: SipMessage): Flow {
  if (remote.protocol === 'udp') return { local, remote };
  const port = topVia(message)?.port ?? defaultPort(remote.protocol);
  return { local, remote: { ...remote, port } };
}
