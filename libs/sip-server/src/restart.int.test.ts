import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type Srf from 'drachtio-srf';
import { freePorts } from '@reelstream/testing';
import type { SipRequest } from './message/message.ts';
import { header } from './message/message.ts';
import { cseqOf } from './message/validate.ts';
import type { SipServerOptions } from './server.ts';
import { heard, until } from './test-support/inbox.ts';
import { ANSWER, Caller, OFFER, answerTo } from './test-support/messages.ts';
import type { AnsweringApp } from './test-support/server.ts';
import { SECRET, answeringApp, connectTo, requestWithin } from './test-support/server.ts';
import type { ServerProcess } from './test-support/server-process.ts';
import { startServerProcess } from './test-support/server-process.ts';
import { UdpPeer } from './test-support/udp-peer.ts';

type BenchOptions = SipServerOptions & { readonly stateDir: string };

/** A server with state on disk that can be killed and started again in its place, an application, and a peer. */
class Bench implements AsyncDisposable {
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

  static async open(options: Partial<SipServerOptions> = {}): Promise<Bench> {
    const [control = 0, sip = 0] = await freePorts(2);
    const all = {
      listen: [{ protocol: 'udp' as const, address: '127.0.0.1', port: sip }],
      control: { host: '127.0.0.1', port: control },
      secret: SECRET,
      timing: { t1: 50, t2: 400, t4: 100 },
      stateDir: await mkdtemp(join(tmpdir(), 'sip-state-')),
      ...options,
    };
    return new Bench(all, await startServerProcess(all), await UdpPeer.open());
  }

  get place(): { readonly address: string; readonly port: number } {
    return this.#options.listen[0] ?? assert.fail();
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

  /** Ends the server as a power cut would, and starts it again; the application comes back by itself. */
  async restart(): Promise<void> {
    let isBack = this.#srf === undefined;
    this.#srf?.addListener('connect', () => (isBack = true));
    await this.#server.kill();
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

test('after the server was killed, INFO, UPDATE, re-INVITE and BYE of its dialogs reach the application', async () => {
  await using bench = await Bench.open();
  await bench.connect();
  const { caller, dialog } = await bench.call('killed-1');
  dialog.on('info', (_req, res) => res.send(200, { headers: { 'X-Seen': 'yes' } }));
  dialog.on('modify', (_req, res) => res.send(200, { body: ANSWER }));
  await bench.restart();

  bench.send(caller.request('INFO', 2));
  assert.equal(header(await bench.peer.response(200, 'INFO'), 'x-seen'), 'yes');
  bench.send(caller.request('UPDATE', 3));
  await bench.peer.response(200, 'UPDATE');
  bench.send(caller.request('INVITE', 4, { body: OFFER.replace('4000', '4002') }));
  assert.equal((await bench.peer.response(200, 'INVITE')).body.toString(), ANSWER);
  bench.send(caller.request('ACK', 4));
  await bench.restart();
  const destroyed = heard(dialog, 'destroy');
  bench.send(caller.request('BYE', 5));
  await bench.peer.response(200, 'BYE');
  await destroyed;
  await bench.restart();
  bench.send(caller.request('INFO', 6));
  await bench.peer.response(481, 'INFO');
});

test('after the server was killed, our own requests go on with CSeq numbers that were not used before', async () => {
  await using bench = await Bench.open();
  const srf = await bench.connect();
  await bench.call('killed-2');
  const ask = async (method: string): Promise<SipRequest> => {
    requestWithin(srf, 'killed-2;from-tag=caller', method);
    const request = await bench.peer.request(method);
    bench.send(answerTo(request, '200 OK', ''));
    return request;
  };
  const before = cseqOf(await ask('INFO'))?.number ?? 0;
  await bench.restart();
  const bye = await ask('BYE');
  assert.ok((cseqOf(bye)?.number ?? 0) >= before + 1000);
  assert.equal(header(bye, 'to'), '"Caller" <sip:caller@127.0.0.1>;tag=caller');
});

test('a 200 that had not been acknowledged is repeated after a restart, and its INVITE is known', async () => {
  await using bench = await Bench.open();
  await bench.connect();
  const caller = new Caller('killed-3', bench.peer.port);
  const invite = caller.request('INVITE', 1, { body: OFFER });
  bench.send(invite);
  const first = await bench.peer.response(200, 'INVITE');
  caller.learn(first);
  await until('the application has the dialog', () => bench.app.dialogs.length === 1);
  await bench.restart();
  bench.peer.inbox.all.length = 0;
  assert.deepEqual(await bench.peer.response(200, 'INVITE'), first);
  bench.send(invite);
  assert.deepEqual(await bench.peer.response(200, 'INVITE'), first);
  const acked = heard(bench.app.dialogs[0] ?? assert.fail(), 'ack');
  bench.send(caller.request('ACK', 1));
  await acked;
  assert.equal(bench.app.dialogs.length, 1);
});

test('session timers go on over a restart', async () => {
  // 90 seconds of the timer are 7.2 s, which end 4.8 s after the last refresh.
  await using bench = await Bench.open({ sessionSecondMs: 80 });
  await bench.connect();
  const { caller, dialog } = await bench.call('killed-4', ['Supported: timer', 'Session-Expires: 90']);
  await bench.restart();
  bench.send(caller.request('UPDATE', 2, { extra: ['Supported: timer', 'Session-Expires: 90'] }));
  await bench.peer.response(200, 'UPDATE');
  await bench.restart();
  const destroyed = heard(dialog, 'destroy');
  const bye = await bench.peer.request('BYE');
  assert.equal(header(bye, 'reason'), 'SIP;cause=200;text="Session timer expired"');
  assert.equal((await destroyed)[1], 'Session timer expired');
});

test('a 200 that reached its caller is on disk: killed at that moment, the server still knows the call', async () => {
  await using bench = await Bench.open();
  // The application may not have heard that its 200 had left.
  await bench.connect((srf) => srf.use('bye', (_req, res) => res.send(200)));
  for (const round of [1, 2, 3]) {
    const caller = new Caller(`instant-${round}`, bench.peer.port);
    bench.send(caller.request('INVITE', 1, { body: OFFER }));
    caller.learn(await bench.peer.response(200, 'INVITE'));
    await bench.restart();
    bench.send(caller.request('BYE', 2));
    await bench.peer.response(200, 'BYE');
  }
});
