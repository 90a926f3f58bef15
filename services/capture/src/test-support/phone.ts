import { randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';
import type { RemoteInfo, Socket } from 'node:dgram';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { waitFor } from '@reelstream/testing';

export const headerOf = (text: string, name: string): string =>
  new RegExp(`^${name}\\s*:\\s*(.*)$`, 'im').exec(text)?.[1]?.trim() ?? '';

const bodyOf = (text: string): string => text.slice(text.indexOf('\r\n\r\n') + 4);

/** One line of an answer to our offer, by its place; undefined refuses it. */
export type AnswerLine = string | undefined;

/** A phone that is called: its SIP is written by hand over UDP, so that nothing of ours judges itself. */
export class Phone implements Disposable {
  /** Requests that came, repeats left out. */
  readonly requests: string[] = [];
  readonly #socket: Socket;
  readonly #tag = randomBytes(4).toString('hex');
  #peer: RemoteInfo | undefined;
  #bye: ((status: number) => void) | undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('message', (bytes, from) => this.#receive(bytes.toString('latin1'), from));
  }

  static async open(): Promise<Phone> {
    const socket = createSocket('udp4');
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');

    return new Phone(socket);
  }

  get port(): number {
    return (this.#socket.address() as AddressInfo).port;
  }

  get uri(): string {
    return `sip:1001@127.0.0.1:${this.port}`;
  }

  /** The first request of this method, once it has come. */
  received(method: string): Promise<string> {
    return waitFor(() => this.requests.find((text) => text.startsWith(`${method} `)), {
      deadlineMs: 10_000,
      describe: () => `no ${method} among ${this.requests.map((text) => text.split(' ')[0]).join(', ')}`,
    });
  }

  /** Offered ports of an INVITE, in order. */
  offered(invite: string): number[] {
    return [...bodyOf(invite).matchAll(/^m=\w+ (\d+)/gm)].map((match) => Number(match[1]));
  }

  /** Answers a request; with a tag of ours but for 100. */
  respond(request: string, status: string, body = '', headers: readonly string[] = []): void {
    const kept = request
      .split('\r\n')
      .filter((line) => /^(via|from|call-id|cseq)\s*:/i.test(line))
      .map((line) => `${line}\r\n`)
      .join('');
    const to = headerOf(request, 'To');
    const text = [
      `SIP/2.0 ${status}\r\n${kept}To: ${to.includes(';tag=') ? to : `${to};tag=${this.#tag}`}`,
      `Contact: <sip:1001@127.0.0.1:${this.port}>`,
      ...headers,
      ...(body === '' ? [] : ['Content-Type: application/sdp']),
      `Content-Length: ${Buffer.byteLength(body)}`,
      '',
      body,
    ].join('\r\n');
    this.#send(text);
  }

  /** Takes a call: a codec for each line of the offer that is taken, e.g. `8 PCMA/8000`. */
  answer(invite: string, lines: readonly AnswerLine[]): void {
    const kinds = [...bodyOf(invite).matchAll(/^m=(\w+)/gm)].map((match) => match[1] ?? '');
    const media = kinds.map((kind, index) => {
      const [payloadType, codec] = lines[index]?.split(' ') ?? [];

      return codec === undefined
        ? `m=${kind} 0 RTP/AVP 0\r\n`
        : `m=${kind} ${40_000 + 2 * index} RTP/AVP ${payloadType}\r\na=rtpmap:${payloadType} ${codec}\r\na=sendonly\r\n`;
    });
    const head = 'v=0\r\no=phone 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n';
    this.respond(invite, '200 OK', head + media.join(''));
  }

  /** Hangs up; resolves with the status of the answer. */
  hangUp(invite: string): Promise<number> {
    const target = /<([^>]+)>/.exec(headerOf(invite, 'Contact'))?.[1] ?? '';
    this.#send(
      [
        `BYE ${target} SIP/2.0`,
        `Via: SIP/2.0/UDP 127.0.0.1:${this.port};branch=z9hG4bK${randomBytes(6).toString('hex')};rport`,
        'Max-Forwards: 70',
        `From: ${headerOf(invite, 'To')};tag=${this.#tag}`,
        `To: ${headerOf(invite, 'From')}`,
        `Call-ID: ${headerOf(invite, 'Call-ID')}`,
        'CSeq: 1 BYE',
        'Content-Length: 0',
        '',
        '',
      ].join('\r\n'),
    );

    return new Promise((resolve) => {
      this.#bye = resolve;
    });
  }

  [Symbol.dispose](): void {
    this.#socket.close();
  }

  #send(text: string): void {
    const peer = this.#peer;
    if (!peer) throw new Error('nobody has called yet');
    this.#socket.send(text, peer.port, peer.address);
  }

  #receive(text: string, from: RemoteInfo): void {
    this.#peer = from;
    const status = Number(/^SIP\/2\.0 (\d{3})/.exec(text)?.[1]);
    if (!Number.isNaN(status)) return this.#bye?.(status);
    const isRepeat = this.requests.some(
      (known) =>
        known.split(' ')[0] === text.split(' ')[0] && headerOf(known, 'Via') === headerOf(text, 'Via'),
    );
    if (!isRepeat) this.requests.push(text);
    if (text.startsWith('BYE ') || text.startsWith('CANCEL ')) this.respond(text, '200 OK');
  }
}
