import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { waitFor } from '@reelstream/testing';
import { readLog } from './durable/keyed-log.ts';
import { formatRecord } from './durable/record.ts';
import { heard, until } from './test-support/inbox.ts';
import { ANSWER, Caller, OFFER } from './test-support/messages.ts';
import { RestartBench } from './test-support/restart-bench.ts';
import { TcpPeer } from './test-support/tcp-peer.ts';
import type { WaitingInvite } from './transaction/waiting-invites.ts';

const logOf = ({ stateDir }: RestartBench): string => join(stateDir, 'invites-1.log');

/** Waits until the server has counted this. */
const counted = (bench: RestartBench, name: string): Promise<number> =>
  waitFor(async () => (await bench.counters())[name], {
    deadlineMs: 20_000,
    describe: `${name} was not counted`,
  });

/** A call over UDP that its caller has been told to wait for, while its application says nothing. */
const beginUnanswered = async (bench: RestartBench, callId: string): Promise<[Caller, string]> => {
  const caller = new Caller(callId, bench.peer.port);
  const invite = caller.request('INVITE', 1, { body: OFFER, branch: `z9hG4bK-${callId}` });
  bench.app.answers = false;
  bench.send(invite);
  await bench.peer.response(100, 'INVITE');
  return [caller, invite];
};

test('an INVITE that had no more than a 100 when the server was killed is answered after its restart, once', async () => {
  await using bench = await RestartBench.open();
  await bench.connect();
  const [caller] = await beginUnanswered(bench, 'waits-1');
  bench.app.answers = true;
  await bench.restart();
  caller.learn(await bench.peer.response(200, 'INVITE'));
  await until('the application has the dialog', () => bench.app.dialogs.length === 1);
  assert.equal(bench.app.invites.length, 2);
  const dialog = bench.app.dialogs[0] ?? assert.fail();
  const acked = heard(dialog, 'ack');
  bench.send(caller.request('ACK', 1));
  await acked;
  await bench.restart();
  const destroyed = heard(dialog, 'destroy');
  bench.send(caller.request('BYE', 2));
  await bench.peer.response(200, 'BYE');
  await destroyed;
  assert.equal(bench.app.invites.length, 2);
});

test('one that was refused is over', async () => {
  await using bench = await RestartBench.open();
  await bench.connect();
  const [caller] = await beginUnanswered(bench, 'waits-2');
  bench.send(caller.request('CANCEL', 1, { branch: 'z9hG4bK-waits-2' }));
  await bench.peer.response(487, 'INVITE');
  await waitFor(async () => (await readLog(logOf(bench))).live.size === 0 || undefined, {
    deadlineMs: 20_000,
    describe: 'it is still kept',
  });
  bench.app.answers = true;
  await bench.restart();
  const next = new Caller('waits-2-next', bench.peer.port);
  bench.send(next.request('INVITE', 1, { body: OFFER }));
  await bench.peer.response(200, 'INVITE');
  assert.deepEqual(
    bench.app.invites.map((invite) => invite.get('Call-ID')),
    ['waits-2', 'waits-2-next'],
  );
});

test('after the restart a repeat of it gets a 100, its CANCEL a 487, and the application hears of that', async () => {
  await using bench = await RestartBench.open();
  await bench.connect();
  const [caller, invite] = await beginUnanswered(bench, 'waits-3');
  await bench.restart();
  await until('the application has it again', () => bench.app.invites.length === 2);
  let isCancelled = false;
  bench.app.invites[1]?.on('cancel', () => (isCancelled = true));
  // It says by itself that it is there again.
  await bench.peer.response(100, 'INVITE');
  bench.send(invite);
  await bench.peer.response(100, 'INVITE');
  bench.send(caller.request('CANCEL', 1, { branch: 'z9hG4bK-waits-3' }));
  await bench.peer.response(200, 'CANCEL');
  await bench.peer.response(487, 'INVITE');
  await until('the application hears of it', () => isCancelled);
});

test('without an application in time it is answered 503', async () => {
  // The application takes longer to come back than it is waited for.
  await using bench = await RestartBench.open({ appGraceMs: 1 });
  await bench.connect();
  await beginUnanswered(bench, 'waits-4');
  await bench.restart();
  await bench.peer.response(503, 'INVITE');
});

test('a re-INVITE that had no more than a 100 goes to the owner of its dialog', async () => {
  await using bench = await RestartBench.open();
  await bench.connect();
  const { caller, dialog } = await bench.call('waits-5');
  let asked = 0;
  dialog.on('modify', (_req, res) => {
    asked += 1;
    if (asked === 2) res.send(200, { body: ANSWER });
  });
  bench.send(caller.request('INVITE', 2, { body: OFFER.replace('4000', '4002') }));
  await bench.peer.response(100, 'INVITE');
  await bench.restart();
  assert.equal((await bench.peer.response(200, 'INVITE')).body.toString(), ANSWER);
  assert.equal(asked, 2);
});

test('what has waited for longer than any caller does is left', async () => {
  await using bench = await RestartBench.open();
  const caller = new Caller('waits-6', bench.peer.port);
  const remote = { protocol: 'udp' as const, address: '127.0.0.1', port: bench.peer.port };
  const old: WaitingInvite = {
    request: caller.request('INVITE', 1, { body: OFFER }),
    flow: { local: bench.place, remote },
    sinceMs: Date.now() - 3_600_000,
  };
  await bench.restart(() => writeFile(logOf(bench), formatRecord(['key', old])));
  assert.equal(await counted(bench, 'invite.too-old'), 1);
  await bench.connect();
  assert.equal((await bench.counters())['now.transactions'], 0);
});

/** A caller over TCP: whether it listens where its Via says that it does, too. */
class TcpCaller implements AsyncDisposable {
  readonly caller: Caller;
  readonly first: TcpPeer;
  readonly #listener = createServer();
  readonly #connections: Socket[] = [];

  private constructor(caller: Caller, first: TcpPeer) {
    this.caller = caller;
    this.first = first;
    this.#listener.on('connection', (socket) => this.#connections.push(socket));
  }

  static async open(bench: RestartBench, callId: string): Promise<TcpCaller> {
    const first = await TcpPeer.open(bench.place);
    const listener = createServer().listen(0, '127.0.0.1');
    await once(listener, 'listening');
    const { port } = listener.address() as AddressInfo;
    listener.close();
    await once(listener, 'close');
    return new TcpCaller(new Caller(callId, port, 'TCP'), first);
  }

  async listen(): Promise<void> {
    this.#listener.listen(this.caller.port, '127.0.0.1');
    await once(this.#listener, 'listening');
  }

  /** The connection that the server makes to it. */
  async accepted(): Promise<TcpPeer> {
    const socket = await waitFor(() => this.#connections.shift(), {
      deadlineMs: 20_000,
      describe: 'the server does not connect',
    });
    return TcpPeer.on(socket);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#connections) socket.destroy();
    this.#listener.close();
    await this.first[Symbol.asyncDispose]();
  }
}

test('over TCP it is answered over a new connection, to where its Via says', async () => {
  await using bench = await RestartBench.open();
  await bench.connect();
  await using tcp = await TcpCaller.open(bench, 'waits-7');
  await tcp.listen();
  bench.app.answers = false;
  await tcp.first.write(tcp.caller.request('INVITE', 1, { body: OFFER }));
  await tcp.first.response(100);
  bench.app.answers = true;
  await bench.restart();
  await using second = await tcp.accepted();
  await second.response(100);
  tcp.caller.learn(await second.response(200));
  await until('the application has the dialog', () => bench.app.dialogs.length === 1);
  const dialog = bench.app.dialogs[0] ?? assert.fail();
  const acked = heard(dialog, 'ack');
  await second.write(tcp.caller.request('ACK', 1));
  await acked;
  assert.equal(bench.app.invites.length, 2);
});

test('a 200 over TCP that was not acknowledged is sent again after a restart', async () => {
  await using bench = await RestartBench.open();
  await bench.connect();
  await using tcp = await TcpCaller.open(bench, 'waits-8');
  await tcp.listen();
  await tcp.first.write(tcp.caller.request('INVITE', 1, { body: OFFER }));
  const first = await tcp.first.response(200);
  tcp.caller.learn(first);
  await until('the application has the dialog', () => bench.app.dialogs.length === 1);
  await bench.restart();
  await using second = await tcp.accepted();
  assert.deepEqual(await second.response(200), first);
  const acked = heard(bench.app.dialogs[0] ?? assert.fail(), 'ack');
  await second.write(tcp.caller.request('ACK', 1));
  await acked;
  assert.equal(bench.app.invites.length, 1);
});

test('a caller over TCP that can not be reached any more is given up: no application is left with its call', async () => {
  await using bench = await RestartBench.open();
  await bench.connect();
  await using tcp = await TcpCaller.open(bench, 'waits-9');
  bench.app.answers = false;
  await tcp.first.write(tcp.caller.request('INVITE', 1, { body: OFFER }));
  await tcp.first.response(100);
  await bench.restart();
  assert.equal(await counted(bench, 'invite.caller-gone'), 1);
  const { 'now.transactions': transactions, 'now.dialogs': dialogs } = await bench.counters();
  assert.deepEqual([transactions, dialogs], [0, 0]);
});
