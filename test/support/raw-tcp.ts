import { once } from 'node:events';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { waitFor } from '@reelstream/testing';
import { readAnswer } from './sip-text.ts';
import type { Answer } from './sip-text.ts';

/** A raw SIP connection over TCP to a port of loopback: writes go out as they are, answers are kept in order. */
export class RawTcp implements AsyncDisposable {
  readonly port: number;
  readonly answers: Answer[] = [];
  /** CRLFs that came between messages: answers to keep-alives. */
  pongs = 0;
  readonly #socket: Socket;
  #text = '';

  private constructor(socket: Socket, server: number) {
    this.#socket = socket;
    this.port = socket.localPort ?? 0;
    socket.on('error', () => undefined);
    socket.setEncoding('latin1').on('data', (more: string) => {
      this.#text += more;
      this.#cut(server);
    });
  }

  static async open(server: number): Promise<RawTcp> {
    const socket = connect({ host: '127.0.0.1', port: server, noDelay: true });
    await once(socket, 'connect');

    return new RawTcp(socket, server);
  }

  /** Resolves once the kernel has it, so that the next write is a segment of its own. */
  write(bytes: string | Buffer): Promise<void> {
    return new Promise((resolve) => {
      this.#socket.write(bytes, () => resolve());
    });
  }

  get closed(): boolean {
    return this.#socket.destroyed;
  }

  /** The final answer to this method of this call. */
  final(callId: string, method = 'INVITE', deadlineMs = 3_000): Promise<Answer> {
    const isIt = (answer: Answer): boolean =>
      answer.status >= 200 &&
      answer.header('Call-ID') === callId &&
      (answer.header('CSeq') ?? '').endsWith(` ${method}`);

    return waitFor(() => this.answers.find(isIt), {
      deadlineMs,
      everyMs: 1,
      describe: () => `no answer for ${callId} among ${this.answers.length}`,
    });
  }

  /** None of the answers judged has a body. */
  #cut(server: number): void {
    for (;;) {
      while (this.#text.startsWith('\r\n')) {
        this.pongs += 1;
        this.#text = this.#text.slice(2);
      }
      const end = this.#text.indexOf('\r\n\r\n');
      if (end < 0) return;
      const answer = readAnswer(this.#text.slice(0, end + 4), server);
      if (answer) this.answers.push(answer);
      this.#text = this.#text.slice(end + 4);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket.destroy();
    if (!this.#socket.closed) await once(this.#socket, 'close');
  }
}
