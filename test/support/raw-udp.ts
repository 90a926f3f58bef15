import { createSocket } from 'node:dgram';
import type { Socket } from 'node:dgram';
import { once } from 'node:events';
import { waitFor } from '@reelstream/testing';
import { readAnswer } from './sip-text.ts';
import type { Answer } from './sip-text.ts';

const host = '127.0.0.1';

/** A raw UDP sender on loopback: what a test writes goes out as it is, and all that comes is kept in order. */
export class RawUdp implements AsyncDisposable {
  readonly port: number;
  readonly answers: Answer[] = [];
  /** Requests that came in, as text. */
  readonly requests: string[] = [];
  readonly #socket: Socket;
  readonly #server: number;

  private constructor(socket: Socket, server: number) {
    this.#socket = socket;
    this.#server = server;
    this.port = socket.address().port;
    socket.on('message', (bytes, { port }) => {
      const text = bytes.toString('latin1');
      const answer = readAnswer(text, port);
      if (answer) this.answers.push(answer);
      else this.requests.push(text);
    });
  }

  /** `server` is the port of loopback that is sent to. */
  static async open(server: number): Promise<RawUdp> {
    const socket = createSocket('udp4');
    socket.bind(0, host);
    await once(socket, 'listening');

    return new RawUdp(socket, server);
  }

  send(message: string | Buffer): void {
    this.#socket.send(message, this.#server, host);
  }

  /** The final answer, of this CSeq method and Call-ID if given. */
  final(
    fits: { readonly method?: string; readonly callId?: string } = {},
    deadlineMs = 5_000,
  ): Promise<Answer> {
    return this.answer((answer) => answer.status >= 200 && belongs(answer, fits), deadlineMs);
  }

  /** The first answer kept that is as wanted. */
  answer(isWanted: (answer: Answer) => boolean, deadlineMs = 5_000): Promise<Answer> {
    return waitFor(() => this.answers.find(isWanted), {
      deadlineMs,
      everyMs: 2,
      describe: () => `not among the ${this.answers.length} answers:\n${this.#all()}`,
    });
  }

  #all(): string {
    return this.answers.map(({ text }) => text).join('\n');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#socket, 'close');
    this.#socket.close();
    await closed;
  }
}

const belongs = (
  answer: Answer,
  { method, callId }: { readonly method?: string; readonly callId?: string },
): boolean =>
  (method === undefined || (answer.header('CSeq') ?? '').endsWith(` ${method}`)) &&
  (callId === undefined || answer.header('Call-ID') === callId);
