import { createSocket } from 'node:dgram';
import type { Socket } from 'node:dgram';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { RawUdp } from '../../support/raw-udp.ts';
import { requestText, tagOf, unique } from '../../support/sip-text.ts';
import type { Answer } from '../../support/sip-text.ts';

const host = '127.0.0.1';
const repeatMs = 500;
/** RFC 3261 §17.1.2.2, timer F: so long a request may go without an answer. */
const longestMs = 32_000;

const offer = [
  'v=0',
  'o=src 1 1 IN IP4 127.0.0.1',
  's=-',
  'c=IN IP4 127.0.0.1',
  't=0 0',
  'm=audio 40000 RTP/AVP 0',
  'a=sendonly',
  '',
].join('\r\n');

export type RunningCall = {
  readonly callId: string;
  readonly to: string;
  /** Where its media goes. */
  readonly rtpPort: number;
  seq: number;
};

const portIn = ({ text }: Answer): number => Number(/^m=audio (\d+)/m.exec(text)?.[1] ?? 0);

/** Calls of one controller to one home: SIP over UDP, repeated until it is answered. */
export class Calls implements AsyncDisposable {
  readonly #udp: RawUdp;

  private constructor(udp: RawUdp) {
    this.#udp = udp;
  }

  static async open(sipPort: number): Promise<Calls> {
    return new Calls(await RawUdp.open(sipPort));
  }

  /** Places a call of one voice. */
  async place(): Promise<RunningCall> {
    const callId = unique('kill');
    const answer = await this.#ask('INVITE', { callId, seq: 1, body: offer });
    if (answer.status !== 200) throw new Error(`a call was answered ${answer.status}`);
    const call = { callId, to: answer.header('To') ?? '', rtpPort: portIn(answer), seq: 1 };
    this.#send('ACK', call, '');

    return call;
  }

  /** An INVITE without a body: it is answered by an offer, and the ACK carries ours. True where all is as it was. */
  async reInvite(call: RunningCall): Promise<boolean> {
    const answer = await this.request('INVITE', call);
    this.#send('ACK', call, offer);

    return answer.status === 200 && portIn(answer) === call.rtpPort;
  }

  request(method: string, call: RunningCall, body = ''): Promise<Answer> {
    call.seq += 1;

    return this.#ask(method, { ...call, body });
  }

  /** UPDATE with the same offer. True where all is as it was. */
  async update(call: RunningCall): Promise<boolean> {
    const answer = await this.request('UPDATE', call, offer);

    return answer.status === 200 && portIn(answer) === call.rtpPort;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#udp[Symbol.asyncDispose]();
  }

  #send(method: string, { callId, to, seq }: RunningCall, body: string): void {
    this.#udp.send(this.#text(method, { callId, to, seq, body }));
  }

  #text(
    method: string,
    parts: { readonly callId: string; readonly to?: string; readonly seq: number; readonly body: string },
  ): string {
    const { to, ...rest } = parts;
    const toParts = tagOf(to) === undefined ? {} : { to: to ?? '' };

    return requestText(method, { port: this.#udp.port, ...rest, ...toParts })
      .replace('Require: siprec\r\n', '')
      .replace(';+sip.src', '');
  }

  async #ask(
    method: string,
    parts: { readonly callId: string; readonly to?: string; readonly seq: number; readonly body: string },
  ): Promise<Answer> {
    const text = this.#text(method, parts);
    const wanted = `${parts.seq} ${method}`;
    const isOurs = (answer: Answer): boolean =>
      answer.status >= 200 && answer.header('Call-ID') === parts.callId && answer.header('CSeq') === wanted;
    for (const until = performance.now() + longestMs; performance.now() < until;) {
      this.#udp.send(text);
      try {
        return await this.#udp.answer(isOurs, repeatMs);
      } catch {
        // Not yet: it is sent again.
      }
    }
    throw new Error(`no answer to ${method}`);
  }
}

const packetMs = 20;

/** One voice to each call, a packet in 20 ms, until it is stopped: the sequence number is the number of the beat. */
export class Voices {
  /** When each beat was sent, `performance.now()`. */
  readonly sentAt: number[] = [];
  readonly #socket: Socket;
  readonly #ports: readonly number[];
  readonly #packet = Buffer.alloc(172, 0xd5);
  #isStopped = false;
  readonly #sending: Promise<void>;

  private constructor(socket: Socket, ports: readonly number[]) {
    this.#socket = socket;
    this.#ports = ports;
    this.#packet.writeUInt16BE(0x8000, 0);
    this.#sending = this.#send();
  }

  static async open(calls: readonly RunningCall[]): Promise<Voices> {
    const socket = createSocket('udp4');
    socket.bind(0, host);
    await once(socket, 'listening');

    return new Voices(
      socket,
      calls.map(({ rtpPort }) => rtpPort),
    );
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#sending;
    this.#socket.close();
  }

  async #send(): Promise<void> {
    const startedAt = performance.now();
    while (!this.#isStopped) {
      const beat = this.sentAt.length;
      await sleep(Math.max(0, startedAt + beat * packetMs - performance.now()));
      this.#packet.writeUInt16BE(beat, 2);
      this.#packet.writeUInt32BE(beat * 160, 4);
      this.sentAt.push(performance.now());
      for (const port of this.#ports) {
        this.#packet.writeUInt32BE(port, 8);
        this.#socket.send(Buffer.from(this.#packet), port, host);
      }
    }
    // The last of them must have left.
    await sleep(packetMs);
  }
}
