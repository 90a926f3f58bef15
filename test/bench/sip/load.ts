import { createSocket } from 'node:dgram';
import type { Socket } from 'node:dgram';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';

export type LoadPlan = {
  /** UDP port of loopback that takes the calls. */
  readonly port: number;
  /** INVITEs per second, evenly, whether answered or not. */
  readonly rate: number;
  readonly count: number;
};

export type LoadResult = {
  readonly sent: number;
  readonly redirected: number;
  /** Answered in another way. */
  readonly refused: number;
  /** 302 that came again. */
  readonly repeated: number;
  /** From the first byte sent to the 302 received. */
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
  /** What was sent in fact, per second: less than planned where the sender is at its end. */
  readonly sentPerSecond: number;
};

/** How long answers are waited for after the last INVITE, in ms. */
const lateLimitMs = 1_000;

const offer = [
  'v=0',
  'o=src 1 1 IN IP4 127.0.0.1',
  's=-',
  'c=IN IP4 127.0.0.1',
  't=0 0',
  ...[4_000, 4_002].flatMap((port, index) => [
    `m=audio ${port} RTP/AVP 0`,
    'a=rtpmap:0 PCMU/8000',
    'a=sendonly',
    `a=label:${index + 1}`,
  ]),
  '',
].join('\r\n');

/** Sends INVITEs of a recording client at a steady rate, acknowledges each 302, and says how it went. */
export const runLoad = async (plan: LoadPlan): Promise<LoadResult> => {
  const socket = createSocket({ type: 'udp4', recvBufferSize: 8 * 1024 * 1024 });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const load = new Load(socket, plan);
  socket.on('message', (bytes) => load.hear(bytes.toString('latin1')));
  const seconds = await load.send();
  const deadline = performance.now() + lateLimitMs;
  while (load.answered < plan.count && performance.now() < deadline) await sleep(20);
  // The last ACKs leave before the socket does.
  await sleep(20);
  socket.close();

  return load.result(seconds);
};

let runs = 0;

class Load {
  readonly #socket: Socket;
  readonly #plan: LoadPlan;
  readonly #name = `${process.pid}-${(runs += 1)}`;
  readonly #sentAt: Float64Array;
  readonly #latencies: number[] = [];
  #repeated = 0;
  #refused = 0;

  constructor(socket: Socket, plan: LoadPlan) {
    this.#socket = socket;
    this.#plan = plan;
    this.#sentAt = new Float64Array(plan.count);
  }

  get answered(): number {
    return this.#latencies.length + this.#refused;
  }

  /** Resolves with the seconds it took when all are sent. */
  async send(): Promise<number> {
    const { rate, count } = this.#plan;
    const begun = performance.now();
    for (let sent = 0; sent < count;) {
      const due = Math.min(count, Math.floor(((performance.now() - begun) * rate) / 1_000) + 1);
      for (; sent < due; sent += 1) this.#invite(sent);
      await sleep(1);
    }

    return (performance.now() - begun) / 1_000;
  }

  hear(text: string): void {
    const index = Number(/^Call-ID: (\d+)@/im.exec(text)?.[1]);
    const sentAt = this.#sentAt[index];
    if (sentAt === undefined || Number.isNaN(index) || text.startsWith('SIP/2.0 1')) return;
    this.#transmit(this.#ack(index, text));
    // Zero: answered before.
    if (sentAt === 0) return void (this.#repeated += 1);
    this.#sentAt[index] = 0;
    if (!text.startsWith('SIP/2.0 302')) return void (this.#refused += 1);
    this.#latencies.push(performance.now() - sentAt);
  }

  result(seconds: number): LoadResult {
    const sorted = this.#latencies.toSorted((a, b) => a - b);
    const at = (share: number): number =>
      sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;

    return {
      sent: this.#plan.count,
      redirected: sorted.length,
      refused: this.#refused,
      repeated: this.#repeated,
      p50Ms: rounded(at(0.5)),
      p99Ms: rounded(at(0.99)),
      maxMs: rounded(at(1)),
      sentPerSecond: Math.round(this.#plan.count / seconds),
    };
  }

  #invite(index: number): void {
    const contact = `Contact: <sip:src@127.0.0.1:${this.#socket.address().port}>;+sip.src`;
    const head = [...this.#head(index, 'INVITE', '<sip:record@127.0.0.1>'), contact, 'Require: siprec'];
    const body = ['Content-Type: application/sdp', `Content-Length: ${offer.length}`, '', offer];
    this.#sentAt[index] = performance.now();
    this.#transmit([...head, ...body].join('\r\n'));
  }

  #ack(index: number, answer: string): string {
    const to = /^To: (.*?)\r$/im.exec(answer)?.[1] ?? '';

    return [...this.#head(index, 'ACK', to), 'Content-Length: 0', '', ''].join('\r\n');
  }

  #head(index: number, method: string, to: string): string[] {
    return [
      `${method} sip:record@127.0.0.1 SIP/2.0`,
      `Via: SIP/2.0/UDP 127.0.0.1:${this.#socket.address().port};rport;branch=z9hG4bK${this.#name}-${index}`,
      `From: <sip:src@127.0.0.1>;tag=${index}`,
      `To: ${to}`,
      `Call-ID: ${this.#callId(index)}`,
      `CSeq: 1 ${method}`,
      'Max-Forwards: 70',
    ];
  }

  #callId(index: number): string {
    return `${index}@${this.#name}`;
  }

  #transmit(text: string): void {
    this.#socket.send(text, this.#plan.port, '127.0.0.1');
  }
}

/** Milliseconds to a hundredth. */
const rounded = (ms: number): number => Math.round(ms * 100) / 100;
