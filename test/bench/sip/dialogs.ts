import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connectSip } from '@reelstream/sip';
import type { Dialog } from '@reelstream/sip';
import { waitFor } from '@reelstream/testing';
import { startSipServerProcess } from '../../support/front-door.ts';
import { inspectable, memoryOf } from '../../support/inspect.ts';
import { readAnswer } from '../../support/sip-text.ts';

export type DialogMemory = {
  readonly count: number;
  /** Of the SIP server's process. */
  readonly rssGrowthBytes: number;
  readonly heapGrowthBytes: number;
};

const sdp = (port: number): string =>
  `v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio ${port} RTP/AVP 0\r\n`;

/** Opened before the first measurement, so that what every server needs once is there. */
const warmUp = 300;
const inFlight = 20;

/** What a SIP server holds for established dialogs: a caller and a minimal application open `count` and keep them. */
export const measureDialogs = async (count: number, core: number | undefined): Promise<DialogMemory> => {
  const { port, server, url } = await startSipServerProcess({
    nodeId: 'memory',
    core,
    nodeOptions: inspectable,
  });
  await using _server = server;
  const dialogs: Dialog[] = [];
  await using endpoint = await connectSip(
    { server: url, product: 'bench' },
    {
      invite: (invite) => void invite.accept({ body: sdp(5_000) }).then((dialog) => dialogs.push(dialog)),
      options: () => ({ status: 200 }),
    },
  );
  await waitFor(() => endpoint.connected || undefined, { deadlineMs: 5_000, describe: 'no connection' });
  await using caller = await Caller.open(port);
  await caller.call(warmUp);
  await transactionsEnd();
  const before = await memoryOf(server);
  await caller.call(count);
  await transactionsEnd();
  const after = await memoryOf(server);
  if (dialogs.length !== warmUp + count) throw new Error(`${dialogs.length} of ${warmUp + count} dialogs`);

  return {
    count,
    rssGrowthBytes: after.rssBytes - before.rssBytes,
    heapGrowthBytes: after.heapBytes - before.heapBytes,
  };
};

/** An INVITE's transaction stays 64*T1 = 32 s after its 2xx, to absorb late repeats (RFC 6026 timer L). */
const transactionsEnd = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 33_000));

/** Opens calls and never hangs up. */
class Caller implements AsyncDisposable {
  readonly #socket = createSocket({ type: 'udp4', recvBufferSize: 8 * 1024 * 1024 });
  readonly #server: number;
  /** Calls that have no 200 yet. */
  readonly #waiting = new Set<number>();
  #opened = 0;

  private constructor(server: number) {
    this.#server = server;
    this.#socket.on('message', (bytes) => this.#hear(bytes.toString('latin1')));
  }

  static async open(server: number): Promise<Caller> {
    const caller = new Caller(server);
    caller.#socket.bind(0, '127.0.0.1');
    await once(caller.#socket, 'listening');

    return caller;
  }

  /** Opens `count` more calls, some at a time; resolves when all are answered and acknowledged. */
  async call(count: number): Promise<void> {
    const wanted = this.#opened + count;
    await waitFor(
      () => {
        while (this.#opened < wanted && this.#waiting.size < inFlight) this.#invite();

        return (this.#opened === wanted && this.#waiting.size === 0) || undefined;
      },
      {
        deadlineMs: 60_000,
        everyMs: 1,
        describe: () => `${this.#waiting.size} of ${this.#opened} calls have no answer`,
      },
    );
  }

  #invite(): void {
    const index = this.#opened;
    this.#opened += 1;
    this.#waiting.add(index);
    const { port } = this.#socket.address();
    this.#send([
      ...this.#head('INVITE', index, '<sip:app@127.0.0.1>'),
      `Contact: <sip:src@127.0.0.1:${port}>`,
      'Content-Type: application/sdp',
      `Content-Length: ${sdp(4_000).length}`,
      '',
      sdp(4_000),
    ]);
  }

  #hear(text: string): void {
    const answer = readAnswer(text, this.#server);
    if (answer?.status !== 200) return;
    const index = Number(answer.header('Call-ID')?.split('@')[0]);
    this.#send([...this.#head('ACK', index, answer.header('To') ?? ''), 'Content-Length: 0', '', '']);
    this.#waiting.delete(index);
  }

  #head(method: string, index: number, to: string): string[] {
    return [
      `${method} sip:app@127.0.0.1 SIP/2.0`,
      `Via: SIP/2.0/UDP 127.0.0.1:${this.#socket.address().port};rport;branch=z9hG4bK${method}${index}`,
      `From: <sip:src@127.0.0.1>;tag=${index}`,
      `To: ${to}`,
      `Call-ID: ${index}@memory`,
      `CSeq: 1 ${method}`,
      'Max-Forwards: 70',
    ];
  }

  #send(lines: readonly string[]): void {
    this.#socket.send(lines.join('\r\n'), this.#server, '127.0.0.1');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#socket, 'close');
    this.#socket.close();
    await closed;
  }
}
