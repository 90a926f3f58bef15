import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startSipServer } from '@reelstream/sip-server';
import type { SipServer } from '@reelstream/sip-server';
import { waitFor } from '@reelstream/testing';
import type { DialogNames } from './dialog.ts';
import { Application } from './test-support/application.ts';
import { RawPeer } from './test-support/raw-peer.ts';

const sdp =
  'v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n';

/** A server, a peer, and an application that is killed in a call and started again. */
class Bench implements AsyncDisposable {
  readonly peer: RawPeer;
  readonly server: SipServer;
  #app: Application;
  names: DialogNames = { callId: '', localTag: '', remoteTag: '' };

  private constructor(server: SipServer, peer: RawPeer) {
    this.server = server;
    this.peer = peer;
    this.#app = this.#start();
  }

  static async open(callId?: string): Promise<Bench> {
    const server = await startSipServer({
      listen: [{ protocol: 'udp', address: '127.0.0.1', port: 0 }],
      secret: 's',
      timing: { t1: 50, t2: 400, t4: 100 },
    });
    const peer = await RawPeer.open(server.addresses[0]?.port ?? 0, callId);

    return new Bench(server, peer);
  }

  get app(): Application {
    return this.#app;
  }

  async call(): Promise<void> {
    await this.#app.tells('connected');
    await this.#routed();
    this.peer.send('INVITE', { body: sdp });
    await this.peer.hear(/200/);
    const [, callId = '', localTag = '', remoteTag = ''] = await this.#app.tells('opened');
    this.names = { callId, localTag, remoteTag };
    this.peer.send('ACK');
    await this.#app.tells('ack');
  }

  async restartApp(): Promise<void> {
    await this.#app.kill();
    this.#app = this.#start();
    await this.#app.tells('connected');
  }

  /** Its routes follow its authentication. */
  async #routed(): Promise<void> {
    this.peer.send('OPTIONS');
    await this.peer.hear(/200/, /OPTIONS/);
  }

  #start(): Application {
    return new Application(`drachtio://127.0.0.1:${this.server.control.port}?secret=s`, sdp);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#app.kill();
    await this.peer[Symbol.asyncDispose]();
    await this.server[Symbol.asyncDispose]();
  }
}

test('an application that was killed in a call and started again takes over its dialog', async () => {
  await using bench = await Bench.open();
  const { peer } = bench;
  await bench.call();
  await bench.restartApp();

  peer.send('UPDATE', { body: sdp });
  await peer.hear(/200/, /UPDATE/);
  const { callId, localTag, remoteTag } = bench.names;
  assert.deepEqual(await bench.app.tells('adopt'), ['adopt', 'UPDATE', callId, localTag, remoteTag]);
  assert.deepEqual(await bench.app.tells('offer'), ['offer', 'UPDATE', sdp]);

  peer.send('INVITE');
  assert.equal((await peer.hear(/200/, /INVITE/)).body, sdp);
  assert.deepEqual(await bench.app.tells('offer'), ['offer', 'INVITE', '']);
  peer.send('ACK', { body: sdp, headers: ['Content-Type: application/sdp'] });
  assert.deepEqual(await bench.app.tells('ack'), ['ack', sdp]);
  peer.send('INFO');
  await peer.hear(/200/, /INFO/);

  peer.send('BYE');
  await peer.hear(/200/, /BYE/);
  assert.deepEqual(await bench.app.tells('ended'), ['ended', 'bye']);
});

for (const method of ['BYE', 'INVITE'] as const) {
  test(`a ${method} that comes while the application is dead waits for its next life`, async () => {
    await using bench = await Bench.open();
    await bench.call();
    await bench.app.kill();
    bench.peer.send(method);
    await waitFor(() => bench.server.counters()['request.parked'], {
      deadlineMs: 30_000,
      describe: 'it does not wait',
    });
    await bench.restartApp();
    await bench.peer.hear(/200/, new RegExp(method));
    assert.equal((await bench.app.tells('adopt'))[1], method);
  });
}

test('a dialog that the application declines is unknown', async () => {
  await using bench = await Bench.open('stranger');
  await bench.call();
  await bench.restartApp();
  bench.peer.send('UPDATE');
  await bench.peer.hear(/481/, /UPDATE/);
  bench.peer.send('BYE');
  await bench.peer.hear(/481/, /BYE/);
});

test('an application that noted its dialogs can end them in its next life', async () => {
  await using bench = await Bench.open();
  await bench.call();
  await bench.restartApp();
  bench.app.hangUp(bench.names);
  const bye = await bench.peer.hear(/^BYE/);
  assert.equal(bye.header('reason'), 'SIP;cause=200;text="resumed"');
  bench.peer.answer(bye, '200 OK');
  assert.deepEqual(await bench.app.tells('ended'), ['ended', 'other']);
});
