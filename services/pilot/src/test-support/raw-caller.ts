import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect } from 'node:net';
import { waitFor } from '@reelstream/testing';

export type Answer = {
  readonly status: number;
  readonly reason: string;
  header(name: string): string | undefined;
};
export type SipTransport = 'udp' | 'tcp';

/** A raw SIP sender: what a test writes goes out, responses are kept by CSeq method. */
export class RawCaller implements AsyncDisposable {
  readonly #transport: SipTransport;
  readonly #send: (text: string) => void;
  readonly #close: () => Promise<void>;
  readonly #port: number;
  #text = '';

  private constructor(
    transport: SipTransport,
    wire: {
      readonly port: number;
      readonly send: (text: string) => void;
      readonly close: () => Promise<void>;
    },
  ) {
    this.#transport = transport;
    this.#port = wire.port;
    this.#send = wire.send;
    this.#close = wire.close;
  }

  static async open(transport: SipTransport, server: number): Promise<RawCaller> {
    return transport === 'udp' ? RawCaller.#overUdp(server) : RawCaller.#overTcp(server);
  }

  static async #overUdp(server: number): Promise<RawCaller> {
    const socket = createSocket('udp4');
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');
    const caller = new RawCaller('udp', {
      port: socket.address().port,
      send: (text) => socket.send(text, server, '127.0.0.1'),
      close: async () => {
        const closed = once(socket, 'close');
        socket.close();
        await closed;
      },
    });
    socket.on('message', (bytes) => caller.#hear(bytes));

    return caller;
  }

  static async #overTcp(server: number): Promise<RawCaller> {
    const socket = connect(server, '127.0.0.1');
    await once(socket, 'connect');
    const caller = new RawCaller('tcp', {
      port: socket.localPort ?? 0,
      send: (text) => socket.write(text),
      close: async () => {
        socket.destroy();
        if (!socket.closed) await once(socket, 'close');
      },
    });
    socket.on('data', (bytes) => caller.#hear(bytes));

    return caller;
  }

  /** A request outside dialogs; `callId` makes its branch too, so that a CANCEL finds its INVITE. */
  send(
    method: string,
    callId: string,
    options: {
      readonly from?: string;
      readonly to?: string;
      readonly headers?: readonly string[];
      readonly body?: string;
    } = {},
  ): void {
    const { from = '<sip:src@127.0.0.1>', to = 'sip:9000@127.0.0.1', headers = [], body = '' } = options;
    const lines = [
      `${method} ${to} SIP/2.0`,
      `Via: SIP/2.0/${this.#transport.toUpperCase()} 127.0.0.1:${this.#port};branch=z9hG4bK${callId}`,
      `From: ${from};tag=${callId}`,
      `To: <${to}>`,
      `Call-ID: ${callId}`,
      `CSeq: 1 ${method}`,
      `Contact: <sip:src@127.0.0.1:${this.#port}>`,
      'Max-Forwards: 70',
      ...headers,
      `Content-Length: ${Buffer.byteLength(body)}`,
    ];
    this.#send(`${lines.join('\r\n')}\r\n\r\n${body}`);
  }

  /** The final answer to a request of this call. */
  async answer(method: string, callId: string): Promise<Answer> {
    return waitFor(() => this.#answers().find((each) => each.status >= 200 && fits(each, method, callId)), {
      deadlineMs: 30_000,
      describe: () => `no answer to ${method} ${callId} in:\n${this.#text}`,
    });
  }

  /** Waits for a request of this call to come in. */
  async request(method: string, callId: string): Promise<void> {
    const come = (): true | undefined =>
      this.#text.split('\r\n\r\n').some((text) => text.startsWith(`${method} `) && text.includes(callId)) ||
      undefined;
    await waitFor(come, {
      deadlineMs: 30_000,
      describe: () => `no ${method} of ${callId} in:\n${this.#text}`,
    });
  }

  get port(): number {
    return this.#port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#close();
  }

  #hear(bytes: Buffer): void {
    this.#text += bytes.toString();
  }

  /** None of the pilot's responses has a body. */
  #answers(): Answer[] {
    return this.#text.split('\r\n\r\n').flatMap((text) => {
      const [, code, reason = ''] = /^SIP\/2\.0 (\d{3}) (.*)/.exec(text) ?? [];
      const status = Number(code);
      const header = (name: string): string | undefined =>
        new RegExp(`^${name}: *(.*?)\r?$`, 'im').exec(text)?.[1];

      return status > 0 ? [{ status, reason, header }] : [];
    });
  }
}

const fits = (answer: Answer, method: string, callId: string): boolean =>
  answer.header('CSeq') === `1 ${method}` && answer.header('Call-ID') === callId;
