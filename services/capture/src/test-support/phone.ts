import { randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';
import type { RemoteInfo } from 'node:dgram';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:tls';
import type { TLSSocket } from 'node:tls';
import { waitFor } from '@reelstream/testing';

export const headerOf = (text: string, name: string): string =>
  new RegExp(`^${name}\\s*:\\s*(.*)$`, 'im').exec(text)?.[1]?.trim() ?? '';

const bodyOf = (text: string): string => text.slice(text.indexOf('\r\n\r\n') + 4);

/** One line of an answer to our offer, by its place; undefined refuses it. */
export type AnswerLine = string | undefined;

/** How a phone is reached, and how it answers. */
type Line = {
  readonly transport: 'UDP' | 'TLS';
  readonly port: number;
  readonly onText: (listener: (text: string) => void) => void;
  /** To who spoke last. */
  readonly send: (text: string) => void;
  readonly close: () => void;
};

const nobody = (): never => {
  throw new Error('nobody has called yet');
};

const overUdp = async (): Promise<Line> => {
  const socket = createSocket('udp4');
  let peer: RemoteInfo | undefined;
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');

  return {
    transport: 'UDP',
    port: socket.address().port,
    onText: (listener) =>
      socket.on('message', (bytes, from) => {
        peer = from;
        listener(bytes.toString('latin1'));
      }),
    send: (text) => (peer ? socket.send(text, peer.port, peer.address) : nobody()),
    close: () => void socket.close(),
  };
};

/** Whole messages at the front of what came, by their Content-Length. */
const takeMessages = (text: string): { readonly messages: readonly string[]; readonly rest: string } => {
  const messages: string[] = [];
  let rest = text;
  for (;;) {
    const head = rest.indexOf('\r\n\r\n');
    const end = head + 4 + Number(headerOf(rest.slice(0, head), 'Content-Length'));
    if (head < 0 || rest.length < end) return { messages, rest };
    messages.push(rest.slice(0, end));
    rest = rest.slice(end);
  }
};

const overTls = async (identity: { readonly cert: Buffer; readonly key: Buffer }): Promise<Line> => {
  let peer: TLSSocket | undefined;
  let listener: ((text: string) => void) | undefined;
  const server = createServer(identity, (socket) => {
    let came = '';
    peer = socket
      .on('error', () => undefined)
      .on('data', (bytes: Buffer) => {
        const { messages, rest } = takeMessages(came + bytes.toString('latin1'));
        came = rest;
        for (const message of messages) listener?.(message);
      });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');

  return {
    transport: 'TLS',
    port: (server.address() as AddressInfo).port,
    onText: (hear) => {
      listener = hear;
    },
    send: (text) => (peer ? void peer.write(text) : nobody()),
    close: () => {
      peer?.destroy();
      server.close();
    },
  };
};

/** A phone that is called: its SIP is written by hand, so that nothing of ours judges itself. */
export class Phone implements Disposable {
  /** Requests that came, repeats left out. */
  readonly requests: string[] = [];
  readonly #line: Line;
  readonly #tag = randomBytes(4).toString('hex');
  #bye: ((status: number) => void) | undefined;
  /** Who calls hangs up only with a proof: the first BYE is answered by this header, and 407. */
  byeChallenge: string | undefined;

  private constructor(line: Line) {
    this.#line = line;
    line.onText((text) => this.#receive(text));
  }

  static async open(): Promise<Phone> {
    return new Phone(await overUdp());
  }

  /** One that is called over TLS, with this certificate. */
  static async openTls(identity: { readonly cert: Buffer; readonly key: Buffer }): Promise<Phone> {
    return new Phone(await overTls(identity));
  }

  get port(): number {
    return this.#line.port;
  }

  get uri(): string {
    return `${this.#line.transport === 'TLS' ? 'sips' : 'sip'}:1001@127.0.0.1:${this.port}`;
  }

  /** A request of this method, once it has come: the first, or a later one. */
  received(method: string, place = 0): Promise<string> {
    return waitFor(() => this.requests.filter((text) => text.startsWith(`${method} `))[place], {
      deadlineMs: 30_000,
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
      ...(headers.some((line) => line.startsWith('Contact:')) ? [] : [`Contact: <${this.uri}>`]),
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
        `Via: SIP/2.0/${this.#line.transport} 127.0.0.1:${this.port};branch=z9hG4bK${randomBytes(6).toString('hex')};rport`,
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
    this.#line.close();
  }

  #send(text: string): void {
    this.#line.send(text);
  }

  #receive(text: string): void {
    const status = Number(/^SIP\/2\.0 (\d{3})/.exec(text)?.[1]);
    if (!Number.isNaN(status)) return this.#bye?.(status);
    const isRepeat = this.requests.some(
      (known) =>
        known.split(' ')[0] === text.split(' ')[0] && headerOf(known, 'Via') === headerOf(text, 'Via'),
    );
    if (!isRepeat) this.requests.push(text);
    if (!text.startsWith('BYE ') && !text.startsWith('CANCEL ')) return;
    const challenge = headerOf(text, 'Proxy-Authorization') === '' ? this.byeChallenge : undefined;
    if (challenge) this.respond(text, '407 Proxy Authentication Required', '', [challenge]);
    else this.respond(text, '200 OK');
  }
}
