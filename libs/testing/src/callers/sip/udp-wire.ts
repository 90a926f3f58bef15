import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { isIPv6 } from 'node:net';
import { formatMessage, parseMessage } from './message.ts';
import type { SipMessage } from './message.ts';
import { unreachable } from './wire.ts';
import type { Arrival, Peer, Wire } from './wire.ts';

/** Opens a UDP socket on `address` and any port. Datagrams that are no SIP are dropped. */
export const openUdpWire = async (address: string, onArrival: (arrival: Arrival) => void): Promise<Wire> => {
  const socket = createSocket(isIPv6(address) ? 'udp6' : 'udp4');
  const underway = new Set<Promise<void>>();
  const send = (message: SipMessage, to: Peer): Promise<void> => {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    socket.send(formatMessage(message), to.port, to.address, (error) =>
      error ? reject(unreachable(to, error)) : resolve(),
    );
    underway.add(promise);
    const done = (): void => void underway.delete(promise);
    promise.then(done, done);

    return promise;
  };
  socket.on('message', (bytes, from) => {
    const message = parseMessage(bytes);
    if (message) onArrival({ message, reply: (answer) => void send(answer, from).catch(() => undefined) });
  });
  socket.bind(0, address);
  await once(socket, 'listening');
  // An unconnected socket reports errors of single sends to their callbacks; nothing else may end the process.
  socket.on('error', () => undefined);

  return {
    transport: 'udp',
    local: { address, port: socket.address().port },
    reliable: false,
    send,
    [Symbol.asyncDispose]: async () => {
      await Promise.allSettled(underway);
      await new Promise<void>((resolve) => socket.close(() => resolve()));
    },
  };
};
