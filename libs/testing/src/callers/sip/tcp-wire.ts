import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { formatMessage, frameLength, parseMessage } from './message.ts';
import { unreachable } from './wire.ts';
import type { Arrival, Peer, Wire } from './wire.ts';

const connectTimeoutMs = 5_000;

/** Cuts a connection into messages; line breaks between them are keep-alives (RFC 5626 §4.4.1). */
const readMessages = (socket: Socket, onArrival: (arrival: Arrival) => void): void => {
  let pending: Buffer = Buffer.alloc(0);
  socket.on('data', (chunk) => {
    pending = Buffer.concat([pending, chunk]);
    for (;;) {
      while (pending[0] === 0x0d || pending[0] === 0x0a) pending = pending.subarray(1);
      const length = frameLength(pending);
      if (length === 'broken') socket.destroy();
      if (typeof length !== 'number') return;
      const message = parseMessage(pending.subarray(0, length));
      pending = pending.subarray(length);
      if (message) onArrival({ message, reply: (answer) => void socket.write(formatMessage(answer)) });
    }
  });
};

const openConnection = async (peer: Peer, from: string, transport: 'tcp' | 'tls'): Promise<Socket> => {
  const to = { host: peer.address, port: peer.port, localAddress: from };
  // Whose certificate it is is not what is tried here: a trial box has one that nobody knows.
  const socket = transport === 'tls' ? connectTls({ ...to, rejectUnauthorized: false }) : connect(to);
  try {
    await once(socket, transport === 'tls' ? 'secureConnect' : 'connect', {
      signal: AbortSignal.timeout(connectTimeoutMs),
    });
  } catch (error) {
    socket.destroy();
    throw unreachable(peer, error);
  }

  return socket;
};

/**
 * Connections over TCP or TLS: one to each peer, opened at the first message, and a listener on `address` for peers that open
 * their own for requests to our Contact (RFC 3261 §18.1.1); over TLS we have no certificate to show them, so that they
 * find us on the connection that we opened.
 */
const openWire = async (
  transport: 'tcp' | 'tls',
  address: string,
  onArrival: (arrival: Arrival) => void,
): Promise<Wire> => {
  const connections = new Map<string, Promise<Socket>>();
  const sockets = new Set<Socket>();
  const attach = (socket: Socket): Socket => {
    sockets.add(socket);
    socket.setNoDelay(true);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => socket.destroy());
    readMessages(socket, onArrival);

    return socket;
  };
  const connectionTo = (peer: Peer): Promise<Socket> => {
    const key = `${peer.address} ${peer.port}`;
    const known = connections.get(key);
    if (known) return known;
    const opened = openConnection(peer, address, transport).then(attach);
    connections.set(key, opened);
    opened.then(
      (socket) => socket.on('close', () => connections.delete(key)),
      () => connections.delete(key),
    );

    return opened;
  };

  const server = createServer(transport === 'tcp' ? attach : (socket) => socket.destroy());
  server.listen(0, address);
  await once(server, 'listening');
  server.on('error', () => undefined);

  return {
    transport,
    local: { address, port: (server.address() as AddressInfo).port },
    reliable: true,
    send: async (message, to) => {
      const socket = await connectionTo(to);
      await new Promise<void>((resolve, reject) => {
        socket.write(formatMessage(message), (error) => (error ? reject(unreachable(to, error)) : resolve()));
      });
    },
    [Symbol.asyncDispose]: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      // Ends in order, so that a last answer still leaves; whoever doesn't close in turn is cut off.
      for (const socket of sockets) socket.end(() => socket.destroy());
      await closed;
    },
  };
};

type OpenWire = (address: string, onArrival: (arrival: Arrival) => void) => Promise<Wire>;

export const openTcpWire: OpenWire = (address, onArrival) => openWire('tcp', address, onArrival);
export const openTlsWire: OpenWire = (address, onArrival) => openWire('tls', address, onArrival);
