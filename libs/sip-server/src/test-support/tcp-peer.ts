import { once } from 'node:events';
import type { Socket } from 'node:net';
import { connect } from 'node:net';
import type { SipMessage, SipResponse } from '../message/message.ts';
import { parseMessage } from '../message/parse.ts';
import { StreamFramer } from '../transport/stream-framer.ts';
import type { Endpoint } from '../transport/endpoint.ts';
import { Inbox } from './inbox.ts';

/** A SIP peer on a raw TCP connection. */
export class TcpPeer implements AsyncDisposable {
  readonly inbox = new Inbox<SipMessage>();
  readonly port: number;
  readonly closed: Promise<unknown>;
  keepalives = 0;
  readonly #socket: Socket;

  private constructor(socket: Socket) {
    const framer = new StreamFramer();
    this.#socket = socket;
    this.port = socket.localPort ?? 0;
    this.closed = once(socket, 'close');
    socket.on('error', () => {});
    socket.on('data', (chunk) => {
      if (chunk.equals(Buffer.from('\r\n'))) this.keepalives++;
      for (const item of framer.push(chunk)) {
        const parsed = item.type === 'message' ? parseMessage(item.bytes) : undefined;
        if (parsed?.ok === true) this.inbox.put(parsed.message);
      }
    });
  }

  static async open(to: Endpoint): Promise<TcpPeer> {
    const socket = connect({ host: to.address, port: to.port, noDelay: true });
    await once(socket, 'connect');
    return new TcpPeer(socket);
  }

  /** On a connection that stands already, e.g. one of TLS. */
  static on(socket: Socket): TcpPeer {
    return new TcpPeer(socket);
  }

  /** Resolves once the bytes have left, so that the next write is a segment of its own. */
  write(bytes: string | Buffer): Promise<void> {
    return new Promise((resolve) => {
      this.#socket.write(bytes, () => resolve());
    });
  }

  response(status: number): Promise<SipResponse> {
    return this.inbox.next(
      `a ${status}`,
      (message): message is SipResponse => message.kind === 'response' && message.status === status,
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket.destroy();
    await this.closed;
  }
}
