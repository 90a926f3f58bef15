import { createSocket } from 'node:dgram';
import type { Socket } from 'node:dgram';
import { once } from 'node:events';
import { ackText, readAnswer, requestText } from '../../support/sip-text.ts';
import type { Answer } from '../../support/sip-text.ts';

const host = '127.0.0.1';
const repeatMs = 500;
const giveUpMs = 10_000;

/** Sends first INVITEs of legs to one pilot, thousands of them: repeats what isn't answered, acknowledges what is. */
export class LegSender implements AsyncDisposable {
  readonly #socket: Socket;
  readonly #pilot: number;
  readonly #waiting = new Map<string, (answer: Answer) => void>();

  private constructor(socket: Socket, pilot: number) {
    this.#socket = socket;
    this.#pilot = pilot;
    socket.on('message', (bytes, { port }) => {
      const answer = readAnswer(bytes.toString('latin1'), port);
      if (answer && answer.status >= 200) this.#waiting.get(answer.header('Call-ID') ?? '')?.(answer);
    });
  }

  static async open(pilot: number): Promise<LegSender> {
    const socket = createSocket({ type: 'udp4', recvBufferSize: 4 * 1024 * 1024 });
    socket.bind(0, host);
    await once(socket, 'listening');

    return new LegSender(socket, pilot);
  }

  /** The pilot's answer; rejects after ten seconds without any. */
  invite(callId: string, from: string): Promise<Answer> {
    const { port } = this.#socket.address();
    // What recording clients say of themselves is none of a phone's business.
    const invite = requestText('INVITE', { port, callId, from, branch: `z9hG4bK${callId}` })
      .replace('Require: siprec\r\n', '')
      .replace(';+sip.src', ';isFocus');

    return new Promise((resolve, reject) => {
      const repeat = setInterval(() => this.#send(invite), repeatMs);
      const impatience = setTimeout(() => end(() => reject(new Error(`no answer to ${callId}`))), giveUpMs);
      const end = (settle: () => void): void => {
        clearInterval(repeat);
        clearTimeout(impatience);
        this.#waiting.delete(callId);
        settle();
      };
      this.#waiting.set(callId, (answer) => {
        this.#send(ackText(invite, answer));
        end(() => resolve(answer));
      });
      this.#send(invite);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#socket, 'close');
    this.#socket.close();
    await closed;
  }

  #send(text: string): void {
    this.#socket.send(text, this.#pilot, host);
  }
}
