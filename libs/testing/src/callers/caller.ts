import { randomBytes, randomInt } from 'node:crypto';
import { createSocket } from 'node:dgram';
import type { Socket } from 'node:dgram';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';

/** What a response says, as text. */
export type Response = { readonly status: number; readonly text: string; readonly body: string };

const retransmitAfterMs = 500;
/** Timer B of RFC 3261 §17.1.1.2. */
const giveUpAfterMs = 32_000;

const header = (text: string, name: string): string | undefined =>
  new RegExp(`^${name}\\s*:\\s*(.*)$`, 'im').exec(text)?.[1]?.trim();

/** A call controller with one call: writes its SIP by hand over UDP, so that nothing of ours judges itself. */
export class Caller implements Disposable {
  readonly callId = `${randomBytes(8).toString('hex')}@caller`;
  readonly #socket: Socket;
  readonly #target: { readonly address: string; readonly port: number };
  readonly #fromTag = randomBytes(4).toString('hex');
  readonly #waiting = new Map<string, (response: Response) => void>();
  readonly #said: string;
  /** From, without tag. */
  from: string;
  #invite: { readonly branch: string; readonly cseq: number } | undefined;
  #toTag = '';
  #remoteTarget: string;
  #cseq = 0;
  /** Requests that came to us: their methods, and all of them. Each was answered as `answers` has it, or 200. */
  readonly received: string[] = [];
  readonly receivedTexts: string[] = [];
  /** Provisional responses that came. */
  readonly provisional: number[] = [];
  /** How the next requests are answered, one after the other. */
  readonly answers: {
    readonly status: string;
    readonly headers?: readonly string[];
    readonly body?: string;
  }[] = [];

  private constructor(
    socket: Socket,
    target: { address: string; port: number },
    from: string,
    uriParameters: string,
    said: string,
  ) {
    this.#said = said;
    this.#socket = socket;
    this.#target = target;
    this.from = from;
    this.#remoteTarget = `sip:record@${target.address}:${target.port}${uriParameters}`;
    socket.on('message', (bytes) => this.#receive(bytes.toString('latin1')));
  }

  static async open(
    target: { readonly address: string; readonly port: number },
    from = '<sip:src@127.0.0.1>',
    /** Of the request URI, `;name=value`: as a pilot's redirect may add them. */
    uriParameters = '',
    /** What it takes for its own address, in Via and Contact. */
    said = '127.0.0.1',
  ): Promise<Caller> {
    const socket = createSocket('udp4');
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');

    return new Caller(socket, target, from, uriParameters, said);
  }

  get port(): number {
    return (this.#socket.address() as AddressInfo).port;
  }

  /** Sends an INVITE (or re-INVITE) and resolves with its final response; a final error is acknowledged. */
  async invite(
    message: { readonly headers?: readonly string[]; readonly body?: string } = {},
  ): Promise<Response> {
    const { branch, cseq } = this.#next();
    this.#invite = { branch, cseq };
    const response = await this.#transact('INVITE', branch, cseq, message);
    if (response.status >= 300) this.#send('ACK', branch, cseq, {});
    else
      this.#remoteTarget =
        /<([^>]+)>/.exec(header(response.text, 'Contact') ?? '')?.[1] ?? this.#remoteTarget;
    this.#toTag = /;tag=([^;\s]+)/.exec(header(response.text, 'To') ?? '')?.[1] ?? '';

    return response;
  }

  ack(body?: string): void {
    const headers = body === undefined ? [] : ['Content-Type: application/sdp'];
    this.#send('ACK', this.#next(false).branch, this.#invite?.cseq ?? 0, { headers, body: body ?? '' });
  }

  /** Takes the INVITE back; resolves with the answer to the CANCEL. */
  cancel(): Promise<Response> {
    const { branch, cseq } = this.#invite ?? this.#next();

    return this.#transact('CANCEL', branch, cseq, {});
  }

  request(method: string, message: { headers?: readonly string[]; body?: string } = {}): Promise<Response> {
    const { branch, cseq } = this.#next();

    return this.#transact(method, branch, cseq, message);
  }

  bye(): Promise<Response> {
    return this.request('BYE');
  }

  [Symbol.dispose](): void {
    this.#socket.close();
  }

  #next(advance = true): { branch: string; cseq: number } {
    if (advance) this.#cseq += 1;

    return { branch: `z9hG4bK${randomBytes(8).toString('hex')}`, cseq: this.#cseq };
  }

  #transact(
    method: string,
    branch: string,
    cseq: number,
    message: { readonly headers?: readonly string[]; readonly body?: string },
  ): Promise<Response> {
    return new Promise((resolve, reject) => {
      const send = (): void => this.#send(method, branch, cseq, message);
      const repeat = setInterval(send, retransmitAfterMs);
      const end = (): void => {
        clearInterval(repeat);
        clearTimeout(impatience);
      };
      const impatience = setTimeout(() => {
        end();
        reject(new Error(`no final response to ${method}`));
      }, giveUpAfterMs);
      this.#waiting.set(`${branch} ${method}`, (response) => {
        clearInterval(repeat);
        if (response.status < 200) return;
        end();
        this.#waiting.delete(`${branch} ${method}`);
        resolve(response);
      });
      send();
    });
  }

  #send(
    method: string,
    branch: string,
    cseq: number,
    { headers = [], body = '' }: { readonly headers?: readonly string[]; readonly body?: string },
  ): void {
    const toTag = this.#toTag === '' ? '' : `;tag=${this.#toTag}`;
    const text = [
      `${method} ${this.#remoteTarget} SIP/2.0`,
      `Via: SIP/2.0/UDP ${this.#said}:${this.port};branch=${branch};rport`,
      'Max-Forwards: 70',
      `From: ${this.from};tag=${this.#fromTag}`,
      `To: <sip:record@${this.#target.address}>${toTag}`,
      `Call-ID: ${this.callId}`,
      `CSeq: ${cseq} ${method}`,
      ...(headers.some((line) => line.startsWith('Contact:'))
        ? []
        : [`Contact: <sip:src@${this.#said}:${this.port}>`]),
      ...headers,
      `Content-Length: ${Buffer.byteLength(body)}`,
      '',
      body,
    ].join('\r\n');
    this.#socket.send(text, this.#target.port, this.#target.address);
  }

  #receive(text: string): void {
    const body = text.slice(text.indexOf('\r\n\r\n') + 4);
    const status = Number(/^SIP\/2\.0 (\d{3})/.exec(text)?.[1]);
    if (Number.isNaN(status)) return this.#answer(text);
    const branch = /branch=([^;\s]+)/.exec(header(text, 'Via') ?? '')?.[1] ?? '';
    const method = header(text, 'CSeq')?.split(/\s+/)[1] ?? '';
    if (status < 200) this.provisional.push(status);
    this.#waiting.get(`${branch} ${method}`)?.({ status, text, body });
  }

  #answer(request: string): void {
    const method = request.split(' ')[0] ?? '';
    this.received.push(method);
    this.receivedTexts.push(request);
    if (method === 'ACK') return;
    const { status, headers = [], body = '' } = this.answers.shift() ?? { status: '200 OK' };
    const kept = request.split('\r\n').filter((line) => /^(via|from|to|call-id|cseq)\s*:/i.test(line));
    const text = [
      `SIP/2.0 ${status}`,
      ...kept,
      `Contact: <sip:src@127.0.0.1:${this.port}>`,
      ...headers,
      `Content-Length: ${Buffer.byteLength(body)}`,
      '',
      body,
    ].join('\r\n');
    this.#socket.send(text, this.#target.port, this.#target.address);
  }
}

/** One voice of a call: numbered packets with payloads that nobody could guess. */
export class Voice implements Disposable {
  readonly sent: Buffer[] = [];
  readonly #socket = createSocket('udp4');
  readonly #ssrc = randomInt(0, 2 ** 32);
  /** Of the packets from here on. */
  payloadType: number;
  readonly #port: number;
  readonly #address: string;

  constructor(port: number, payloadType: number, address = '127.0.0.1') {
    this.#address = address;
    this.#port = port;
    this.payloadType = payloadType;
  }

  /** Sends packets of 20 ms as fast as they go; what was sent is in `sent`. */
  async say(packets: number): Promise<void> {
    for (let count = 0; count < packets; count += 1) {
      const sequence = this.sent.length;
      const packet = Buffer.alloc(12 + 160);
      packet.writeUInt8(0x80, 0);
      packet.writeUInt8(this.payloadType, 1);
      packet.writeUInt16BE(sequence & 0xffff, 2);
      packet.writeUInt32BE((sequence * 160) >>> 0, 4);
      packet.writeUInt32BE(this.#ssrc, 8);
      randomBytes(160).copy(packet, 12);
      this.sent.push(packet);
      await new Promise((resolve) => this.#socket.send(packet, this.#port, this.#address, resolve));
    }
  }

  [Symbol.dispose](): void {
    this.#socket.close();
  }
}
