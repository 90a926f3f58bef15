import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import type { SipMessage, SipRequest, SipResponse } from '../message/message.ts';
import { parseMessage } from '../message/parse.ts';
import { Inbox } from './inbox.ts';

/** A SIP peer made of a raw UDP socket: sends text, waits for messages. */
export class UdpPeer implements AsyncDisposable {
  readonly inbox = new Inbox<SipMessage>();
  readonly port: number;
  readonly #socket;

  private constructor(socket: ReturnType<typeof createSocket>) {
    this.#socket = socket;
    this.port = socket.address().port;
    socket.on('message', (bytes) => {
      const parsed = parseMessage(bytes);
      if (parsed.ok) this.inbox.put(parsed.message);
    });
  }

  static async open(address = '127.0.0.1'): Promise<UdpPeer> {
    const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4');
    socket.bind(0, address);
    await once(socket, 'listening');
    return new UdpPeer(socket);
  }

  send(text: string | Buffer, to: { readonly address: string; readonly port: number }): void {
    this.#socket.send(text, to.port, to.address);
  }

  /** The next response with this status, dropping what comes before it. */
  response(status: number, method?: string): Promise<SipResponse> {
    return this.inbox.next(
      `a ${status} ${method ?? ''}`,
      (message): message is SipResponse =>
        message.kind === 'response' &&
        message.status === status &&
        (method === undefined ||
          message.headers.some(({ key, value }) => key === 'cseq' && value.endsWith(` ${method}`))),
    );
  }

  /** The next request with this method, dropping what comes before it. */
  request(method: string): Promise<SipRequest> {
    return this.inbox.next(
      method,
      (message): message is SipRequest => message.kind === 'request' && message.method === method,
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#socket, 'close');
    this.#socket.close();
    await closed;
  }
}
