import { createSocket } from 'node:dgram';
import type { Socket } from 'node:dgram';
import { once } from 'node:events';
import { waitFor } from '@reelstream/testing';
import { readMessage } from '../message.ts';

/** A message as the peer got it: first line, headers by lower-case name, body. */
export type Heard = {
  readonly start: string;
  header(name: string): string | undefined;
  readonly body: string;
};

/** A SIP peer made of a raw UDP socket, that keeps one dialog: it sends what the test says and nothing else. */
export class RawPeer implements AsyncDisposable {
  readonly port: number;
  readonly callId: string;
  readonly #socket: Socket;
  readonly #server: number;
  readonly #heard: Heard[] = [];
  #seq = 0;
  #inviteSeq = 0;
  #toTag = '';

  private constructor(socket: Socket, server: number, callId: string | undefined) {
    this.#socket = socket;
    this.#server = server;
    this.port = socket.address().port;
    this.callId = callId ?? `call-${this.port}`;
    socket.on('message', (bytes) => {
      const text = bytes.toString();
      const { headers, body } = readMessage(text);
      const start = text.slice(0, text.indexOf('\r\n'));
      this.#heard.push({ start, header: (name) => headers.get(name)?.join(', '), body });
    });
  }

  static async open(server: number, callId?: string): Promise<RawPeer> {
    const socket = createSocket('udp4');
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');

    return new RawPeer(socket, server, callId);
  }

  /** ACK and CANCEL carry the CSeq of the INVITE, a CANCEL its branch too; every other request the next ones. */
  send(method: string, options: { readonly headers?: readonly string[]; readonly body?: string } = {}): void {
    const { headers = [], body = '' } = options;
    const follows = method === 'ACK' || method === 'CANCEL';
    const seq = follows ? this.#inviteSeq : (this.#seq += 1);
    if (method === 'INVITE') this.#inviteSeq = seq;
    this.#raw(
      [
        `${method} sip:9000@127.0.0.1 SIP/2.0`,
        `Via: SIP/2.0/UDP 127.0.0.1:${this.port};branch=z9hG4bK${this.port}-${seq}${method === 'ACK' ? 'a' : ''}`,
        'From: "Peer" <sip:peer@127.0.0.1>;tag=peer',
        `To: <sip:9000@127.0.0.1>${this.#toTag === '' ? '' : `;tag=${this.#toTag}`}`,
        `Call-ID: ${this.callId}`,
        `CSeq: ${seq} ${method}`,
        `Contact: <sip:peer@127.0.0.1:${this.port}>`,
        'Max-Forwards: 70',
        ...headers,
        `Content-Length: ${Buffer.byteLength(body)}`,
      ],
      body,
    );
  }

  /** Answers a request that came in. */
  answer(request: Heard, status: string, body = ''): void {
    const copied = ['via', 'from', 'to', 'call-id', 'cseq', 'record-route'].flatMap((name) => {
      const value = request.header(name);

      return value === undefined
        ? []
        : [`${name}: ${value}${name === 'to' && !value.includes('tag=') ? ';tag=us' : ''}`];
    });
    const contact = `Contact: <sip:peer@127.0.0.1:${this.port}>`;
    this.#raw([`SIP/2.0 ${status}`, ...copied, contact, `Content-Length: ${Buffer.byteLength(body)}`], body);
  }

  /** The next message whose first line and CSeq fit; what came before it is dropped. */
  async hear(start: RegExp, cseq = /./): Promise<Heard> {
    const found = await waitFor(
      () => {
        const at = this.#heard.findIndex(
          (each) => start.test(each.start) && cseq.test(each.header('cseq') ?? ''),
        );

        return at < 0 ? undefined : this.#heard.splice(0, at + 1).at(-1);
      },
      {
        deadlineMs: 30_000,
        describe: () =>
          `${String(start)} was not heard, but ${this.#heard.map(({ start: line }) => line).join('; ')}`,
      },
    );
    const tag = /;tag=([^;]+)/.exec(found.header('to') ?? '')?.[1];
    if (/^SIP\/2.0 2/.test(found.start) && found.header('cseq')?.endsWith('INVITE'))
      this.#toTag = tag ?? this.#toTag;

    return found;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#socket, 'close');
    this.#socket.close();
    await closed;
  }

  #raw(lines: readonly string[], body: string): void {
    this.#socket.send(`${lines.join('\r\n')}\r\n\r\n${body}`, this.#server, '127.0.0.1');
  }
}
