import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
// oxlint-disable-next-line no-restricted-imports -- the real client is the oracle of these tests
import type Srf from 'drachtio-srf';
import { freePorts } from '@reelstream/testing';
import type { SipServerOptions } from '../server.ts';
import type { Endpoint } from '../transport/endpoint.ts';
import { heard, until } from './inbox.ts';
import { Caller, OFFER } from './messages.ts';
import type { AnsweringApp } from './server.ts';
import { SECRET, answeringApp, connectTo } from './server.ts';
import type { ServerProcess } from './server-process.ts';
import { startServerProcess } from './server-process.ts';
import { UdpPeer } from './udp-peer.ts';

type BenchOptions = SipServerOptions & { readonly stateDir: string };

/** A server with state on disk that can be killed and started again in its place, an application, and a peer. */
export class RestartBench implements AsyncDisposable {
  readonly app: AnsweringApp = answeringApp();
  readonly #options: BenchOptions;
  readonly peer: UdpPeer;
  #server: ServerProcess;
  #ack: string | undefined;
  #srf: (Srf & AsyncDisposable) | undefined;

  private constructor(options: BenchOptions, server: ServerProcess, peer: UdpPeer) {
    this.#options = options;
    this.#server = server;
    this.peer = peer;
  }

  static async open(options: Partial<SipServerOptions> = {}): Promise<RestartBench> {
    const [control = 0, sip = 0] = await freePorts(2);
    const all = {
      listen: (['udp', 'tcp'] as const).map((protocol) => ({ protocol, address: '127.0.0.1', port: sip })),
      control: { host: '127.0.0.1', port: control },
      secret: SECRET,
      timing: { t1: 50, t2: 400, t4: 100 },
      stateDir: await mkdtemp(join(tmpdir(), 'sip-state-')),
      ...options,
    };
    return new RestartBench(all, await startServerProcess(all), await UdpPeer.open());
  }

  /** Where it takes SIP, over UDP; over TCP its address and port are the same. */
  get place(): Endpoint {
    return this.#options.listen[0] ?? assert.fail();
  }

  get stateDir(): string {
    return this.#options.stateDir;
  }

  async counters(): Promise<Readonly<Record<string, number>>> {
    return (await this.#server.footprint()).counters;
  }

  async connect(prepare: (srf: Srf) => void = () => {}): Promise<Srf & AsyncDisposable> {
    this.#srf = await connectTo(this.#options.control ?? assert.fail(), (srf) => {
      this.app.prepare(srf);
      prepare(srf);
    });
    return this.#srf;
  }

  send(text: string): void {
    this.peer.send(text, this.place);
  }

  /** Kills the server and, once what is to be done meanwhile is done, starts it again; the application comes back by itself. */
  async restart(meanwhile: () => Promise<void> = () => Promise.resolve()): Promise<void> {
    let isBack = this.#srf === undefined;
    this.#srf?.addListener('connect', () => (isBack = true));
    await this.#server.kill();
    await meanwhile();
    this.#server = await startServerProcess(this.#options);
    // The server may have died before the ACK was on disk: then it repeats its 200, and a peer its ACK.
    if (this.#ack !== undefined) this.send(this.#ack);
    await until('the application is back', () => isBack);
  }

  async call(callId: string, extra: readonly string[] = []): Promise<{ caller: Caller; dialog: Srf.Dialog }> {
    const caller = new Caller(callId, this.peer.port);
    this.send(caller.request('INVITE', 1, { body: OFFER, extra }));
    caller.learn(await this.peer.response(200, 'INVITE'));
    await until('the application has the dialog', () => this.app.dialogs.length === 1);
    const dialog = this.app.dialogs[0] ?? assert.fail();
    const acked = heard(dialog, 'ack');
    this.#ack = caller.request('ACK', 1);
    this.send(this.#ack);
    await acked;
    return { caller, dialog };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#srf?.[Symbol.asyncDispose]();
    await this.#server.kill();
    await this.peer[Symbol.asyncDispose]();
    await rm(this.#options.stateDir, { recursive: true });
  }
}
