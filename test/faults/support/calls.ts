import { createSocket } from 'node:dgram';
import type { Socket } from 'node:dgram';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { inLots } from '../../support/in-lots.ts';
import { ackText, okText, readAnswer, requestText, tagOf, unique } from '../../support/sip-text.ts';
import type { Answer } from '../../support/sip-text.ts';

const host = '127.0.0.1';
const repeatMs = 500;
const atOnce = 10;
const retryAfterMs = 1_000;
const mostTries = 20;
/** Answers to all of them at once. */
const recvBufferSize = 4 * 1024 * 1024;
/** RFC 3261 §17.1.2.2, timer F: so long a request may go without an answer. */
const longestMs = 32_000;

const offerOf = (voices: number): string =>
  [
    'v=0',
    'o=src 1 1 IN IP4 127.0.0.1',
    's=-',
    'c=IN IP4 127.0.0.1',
    't=0 0',
    ...Array.from({ length: voices }, (_, at) => [
      `m=audio ${40_000 + 2 * at} RTP/AVP 0`,
      'a=sendonly',
    ]).flat(),
    '',
  ].join('\r\n');

export type RunningCall = {
  readonly callId: string;
  readonly to: string;
  /** Where its media goes, a port per voice. */
  readonly rtpPorts: readonly number[];
  seq: number;
};

const portsIn = ({ text }: Answer): readonly number[] =>
  [...text.matchAll(/^m=audio (\d+)/gm)].map(([, port]) => Number(port));

const isSame = (answer: Answer, { rtpPorts }: RunningCall): boolean =>
  answer.status === 200 && String(portsIn(answer)) === String(rtpPorts);

type Request = {
  readonly callId: string;
  readonly to?: string;
  readonly seq: number;
  readonly body: string;
};

/** A call that was not taken. */
export class RefusedError extends Error {
  override readonly name = 'RefusedError';
  readonly status: number;

  constructor(status: number) {
    super(`a call was answered ${status}`);
    this.status = status;
  }
}

const keyOf = (callId: string | undefined, cseq: string | undefined): string => `${callId} ${cseq}`;

/** Calls of one controller to one home: SIP over UDP, repeated until it is answered. */
export class Calls implements AsyncDisposable {
  readonly #socket: Socket;
  readonly #server: number;
  /** Calls that the other side has hung up, by their Call-IDs. */
  readonly hungUp = new Set<string>();
  /** Requests whose answer is to be waited for; an INVITE is sent no more then (RFC 3261 §17.1.1.2). */
  readonly #provisional = new Set<string>();
  readonly #waiting = new Map<string, (answer: Answer | Error) => void>();

  private constructor(socket: Socket, server: number) {
    this.#socket = socket;
    this.#server = server;
    socket.on('message', (bytes, { port }) => {
      const text = bytes.toString('latin1');
      if (text.startsWith('BYE ')) return this.#hearBye(text, port);
      const answer = readAnswer(text, port);
      if (!answer) return undefined;
      const key = keyOf(answer.header('Call-ID'), answer.header('CSeq'));
      if (answer.status < 200) this.#provisional.add(key);
      else this.#waiting.get(key)?.(answer);

      return undefined;
    });
  }

  static async open(sipPort: number): Promise<Calls> {
    const socket = createSocket({ type: 'udp4', recvBufferSize });
    socket.bind(0, host);
    await once(socket, 'listening');

    return new Calls(socket, sipPort);
  }

  /** Asks a pilot for the way of a call: the port of its first home. Throws RefusedError where it gives none. */
  async redirect(callId: string): Promise<number> {
    const request = { callId, seq: 1, body: offerOf(1) };
    const answer = await this.#ask('INVITE', request);
    this.#socket.send(ackText(this.#text('INVITE', request), answer), this.#server, host);
    if (answer.status !== 302) throw new RefusedError(answer.status);

    return Number(/^[^,]*?sip:[^>;]*:(\d+)/.exec(answer.header('Contact') ?? '')?.[1]);
  }

  /** Places a call of so many voices. */
  async place(voices = 1, callId = unique('fault')): Promise<RunningCall> {
    const answer = await this.#ask('INVITE', { callId, seq: 1, body: offerOf(voices) });
    if (answer.status !== 200) throw new RefusedError(answer.status);
    const call = { callId, to: answer.header('To') ?? '', rtpPorts: portsIn(answer), seq: 1 };
    this.#send('ACK', { ...call, body: '' });

    return call;
  }

  /** How many requests have been told to wait, and have no answer yet. */
  get waiting(): number {
    return [...this.#waiting.keys()].filter((key) => this.#provisional.has(key)).length;
  }

  /** Places so many calls, ten at a time. One that is refused comes again: a busy server turns new calls away for a second. */
  async placeAll(count: number, voices = 1): Promise<readonly RunningCall[]> {
    const calls: RunningCall[] = [];
    const place = async (triesLeft = mostTries): Promise<RunningCall> => {
      try {
        return await this.place(voices);
      } catch (error) {
        if (!(error instanceof RefusedError) || triesLeft === 0) throw error;
        await sleep(retryAfterMs);

        return place(triesLeft - 1);
      }
    };
    await inLots({ count, atOnce }, async () => void calls.push(await place()));

    return calls;
  }

  /** Hangs up; rejects where a BYE isn't answered. */
  async hangUp(calls: readonly RunningCall[]): Promise<void> {
    await inLots({ count: calls.length, atOnce }, async (at) => void (await this.request('BYE', calls[at]!)));
  }

  /** An INVITE without a body: it is answered by an offer, and the ACK carries ours. True where all is as it was. */
  async reInvite(call: RunningCall): Promise<boolean> {
    const answer = await this.request('INVITE', call);
    this.#send('ACK', { ...call, body: offerOf(call.rtpPorts.length) });

    return isSame(answer, call);
  }

  request(method: string, call: RunningCall, body = ''): Promise<Answer> {
    call.seq += 1;

    return this.#ask(method, { ...call, body });
  }

  /** UPDATE with the same offer. True where all is as it was. */
  async update(call: RunningCall): Promise<boolean> {
    return isSame(await this.request('UPDATE', call, offerOf(call.rtpPorts.length)), call);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const settle of this.#waiting.values()) settle(new Error('the controller is gone'));
    const closed = once(this.#socket, 'close');
    this.#socket.close();
    await closed;
  }

  #hearBye(text: string, port: number): void {
    this.hungUp.add(/^Call-ID: (.+)\r$/im.exec(text)?.[1] ?? '');
    this.#socket.send(okText(text), port, host);
  }

  #send(method: string, request: Request): void {
    this.#socket.send(this.#text(method, request), this.#server, host);
  }

  #text(method: string, { callId, to, seq, body }: Request): string {
    const toParts = tagOf(to) === undefined ? {} : { to: to ?? '' };

    return requestText(method, { port: this.#socket.address().port, callId, seq, body, ...toParts })
      .replace('Require: siprec\r\n', '')
      .replace(';+sip.src', '');
  }

  #ask(method: string, request: Request): Promise<Answer> {
    const text = this.#text(method, request);
    const key = keyOf(request.callId, `${request.seq} ${method}`);

    return new Promise((resolve, reject) => {
      const send = (): void => {
        if (method !== 'INVITE' || !this.#provisional.has(key)) this.#socket.send(text, this.#server, host);
      };
      const repeat = setInterval(send, repeatMs);
      const patience = setTimeout(() => settle(new Error(`no answer to ${method}`)), longestMs);
      const settle = (outcome: Answer | Error): void => {
        clearInterval(repeat);
        clearTimeout(patience);
        this.#waiting.delete(key);
        if (outcome instanceof Error) reject(outcome);
        else resolve(outcome);
      };
      this.#waiting.set(key, settle);
      send();
    });
  }
}
