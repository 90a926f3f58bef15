import type { Server, Socket } from 'node:net';
import { connect as connectPlain, createServer as createPlainServer, isIP } from 'node:net';
import { connect as connectSecure, createServer as createSecureServer } from 'node:tls';
import type { Endpoint } from './endpoint.ts';

/** What we prove ourselves by over TLS, and whom we believe; all PEM. */
export type TlsIdentity = {
  readonly cert: Buffer;
  readonly key: Buffer;
  /** Authorities that certificates of peers must come from; without them peers we call prove nothing. */
  readonly ca?: Buffer;
  /** Whether callers must present a certificate of these authorities, too. Default false. */
  readonly verifyClients?: boolean;
};

/** How connections of one protocol are made and taken; everything after that is the same. */
export type StreamKind = {
  readonly protocol: 'tcp' | 'tls';
  /** The server's event for a connection that messages may come over. */
  readonly accepted: 'connection' | 'secureConnection';
  /** The socket's event for a connection of ours that is complete. */
  readonly connected: 'connect' | 'secureConnect';
  createServer(): Server;
  connect(remote: Endpoint): Socket;
};

export const plain: StreamKind = {
  protocol: 'tcp',
  accepted: 'connection',
  connected: 'connect',
  createServer: () => createPlainServer({ noDelay: true, keepAlive: true }),
  connect: ({ address, port }) => connectPlain({ host: address, port, noDelay: true, keepAlive: true }),
};

/** TLS 1.2 and later (RFC 3261 §26.3.1); throws on a certificate or key that can't be read. */
export function secure(identity: TlsIdentity, handshakeMs: number): StreamKind {
  const { cert, key, ca, verifyClients = false } = identity;
  const shared = { cert, key, ...(ca === undefined ? {} : { ca }) };
  return {
    protocol: 'tls',
    accepted: 'secureConnection',
    connected: 'secureConnect',
    createServer: () =>
      createSecureServer({
        ...shared,
        requestCert: verifyClients,
        rejectUnauthorized: verifyClients,
        handshakeTimeout: handshakeMs,
        noDelay: true,
        keepAlive: true,
      }),
    connect: ({ address, port, name = address }) => {
      const socket = connectSecure({
        ...shared,
        host: address,
        port,
        // A server name is a domain, never an address (RFC 6066 §3); an address is proven by a subjectAltName of its own.
        ...(isIP(name) === 0 ? { servername: name } : {}),
        rejectUnauthorized: ca !== undefined,
      });
      socket.setNoDelay(true);
      socket.setKeepAlive(true);
      return socket;
    },
  };
}
