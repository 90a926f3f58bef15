import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { connect } from 'node:net';
import { test } from 'node:test';
import type { Frame } from './control/frame.ts';
import { FrameReader } from './control/frame.ts';
import { header } from './message/message.ts';
import type { SipServer } from './server.ts';
import { startSipServer } from './server.ts';
import { Inbox, until } from './test-support/inbox.ts';
import { Caller, OFFER } from './test-support/messages.ts';
import { SECRET, connectApp, endpoint, startServer } from './test-support/server.ts';
import { UdpPeer } from './test-support/udp-peer.ts';

/** An application that writes its frames by hand. */
class RawApp implements AsyncDisposable {
  readonly inbox = new Inbox<Frame>();
  readonly closed: Promise<unknown>;
  readonly #socket: Socket;

  private constructor(socket: Socket) {
    const reader = new FrameReader();
    this.#socket = socket;
    this.closed = once(socket, 'close');
    socket.on('data', (chunk) => reader.push(chunk).forEach((frame) => this.inbox.put(frame)));
  }

  static async open(server: SipServer): Promise<RawApp> {
    const socket = connect(server.control);
    await once(socket, 'connect');
    return new RawApp(socket);
  }

  send(payload: string): void {
    this.#socket.write(`${Buffer.byteLength(payload)}#${payload}`);
  }

  raw(text: string): void {
    this.#socket.write(text);
  }

  /** Fields of the answer to a message id. */
  async answer(id: string): Promise<readonly string[]> {
    const isAnswer = (frame: Frame): frame is Frame => frame.type === 'response' && frame.fields[0] === id;
    return (await this.inbox.next(`the answer to ${id}`, isAnswer)).fields.slice(1);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket.destroy();
    await this.closed;
  }
}

test('authenticate tells where SIP is taken, ping gets its pong, routes are acknowledged', async () => {
  await using server = await startServer();
  await using app = await RawApp.open(server);
  app.send(`a|authenticate|${SECRET}|`);
  const hosts = server.addresses
    .map(({ protocol, address, port }) => `${protocol}/${address}:${port}`)
    .join(',');
  assert.deepEqual(await app.answer('a'), ['OK', hosts, 'v0.9.10', hosts]);
  app.send('b|ping');
  assert.deepEqual(await app.answer('b'), ['OK', 'pong']);
  app.send('c|route|invite');
  app.send('d|route|invite');
  app.send('e|remove_route|invite');
  for (const id of ['c', 'd', 'e']) assert.deepEqual(await app.answer(id), ['OK']);
});

test('who has not authenticated, or can’t, or speaks another language, is turned away', async () => {
  await using server = await startServer();
  const cases: readonly (readonly [string[], string])[] = [
    [['x|route|invite'], 'not authenticated'],
    [['x|authenticate|wrong|'], 'incorrect secret'],
    [[`w|authenticate|${SECRET}|`, 'x|dance|now'], 'Unknown message type'],
  ];
  for (const [frames, reason] of cases) {
    await using app = await RawApp.open(server);
    frames.forEach((frame) => app.send(frame));
    assert.deepEqual(await app.answer('x'), ['NO', reason]);
    await app.closed;
  }
  await using app = await RawApp.open(server);
  app.raw('GET / HTTP/1.1\r\n\r\n');
  await app.closed;
  await until('all have gone', () => server.counters()['now.applications'] === 0);
});

test('frames carry the fields where the protocol wants them', async () => {
  await using server = await startServer();
  await using app = await RawApp.open(server);
  await using peer = await UdpPeer.open();
  app.send(`a|authenticate|${SECRET}|`);
  app.send('b|route|invite');
  await app.answer('b');
  const udp = endpoint(server, 'udp');
  peer.send(new Caller('fields', peer.port).request('INVITE', 1, { body: OFFER }), udp);
  const invite = await app.inbox.next('the INVITE', (frame): frame is Frame => frame.type === 'sip');
  const [source, bytes, protocol, address, port, time, txn = '', dialog, onAddress, onPort, last] =
    invite.fields;
  assert.deepEqual([source, protocol, address, port], ['network', 'udp', '127.0.0.1', String(peer.port)]);
  assert.deepEqual([dialog, onAddress, onPort, last], ['', '127.0.0.1', String(udp.port), '']);
  assert.equal(Number(bytes), invite.payload.length);
  assert.match(time ?? '', /^\d\d:\d\d:\d\d\.\d{6}$/);

  app.send(
    `c|sip|${txn}|\r\nSIP/2.0 200 OK\r\nto: <sip:service@127.0.0.1>;tag=mine\r\nContent-Length: 3\r\n\r\nv=0…`,
  );
  const [ok, from, , , , , , echoTxn, echoDialog, empty, sent] = await app.answer('c');
  assert.deepEqual([ok, from, echoTxn, echoDialog], ['OK', 'application', txn, 'fields;from-tag=caller']);
  assert.deepEqual([empty, sent], ['', 'Msg sent:']);
  const answered = await peer.response(200);
  assert.equal(answered.body.toString(), 'v=0…');
  app.send(`d|sip|${txn}|\r\nSIP/2.0 486 Busy\r\n\r\n`);
  assert.deepEqual(await app.answer('d'), ['NOK', 'Response not sent due to unknown transaction']);
  app.send('e|sip||nothing;from-tag=here\r\nBYE sip:placeholder SIP/2.0\r\n\r\n');
  assert.deepEqual(await app.answer('e'), [
    'NOK',
    'Server error: unable to find dialog for dialog id provided',
  ]);
  app.send('f|sip||\r\nnot a message');
  assert.equal((await app.answer('f'))[0], 'NOK');
});

test('an application that asks is told whether dialogs can be saved; it is no method that it takes', async () => {
  await using server = await startServer();
  await using app = await RawApp.open(server);
  await using peer = await UdpPeer.open();
  app.send(`a|authenticate|${SECRET}|`);
  app.send('b|route|storage');
  app.send('c|route|invite');
  assert.deepEqual(await app.answer('b'), ['OK']);
  const told = await app.inbox.next('the news', (frame): frame is Frame => frame.type === 'storage');
  assert.deepEqual(told.fields, ['saved', '']);
  await app.answer('c');
  peer.send(new Caller('methods', peer.port).request('MESSAGE', 1), endpoint(server, 'udp'));
  assert.equal(header(await peer.response(405), 'allow'), 'INVITE, ACK, CANCEL, BYE');
});

test('a frame of 200 kB passes', async () => {
  await using server = await startServer();
  await using app = await RawApp.open(server);
  app.send(`a|authenticate|${SECRET}|`);
  app.send(`b|sip|${'x'.repeat(200_000)}|\r\nSIP/2.0 200 OK\r\n\r\n`);
  assert.equal((await app.answer('b'))[0], 'NOK');
  app.send('c|ping');
  assert.deepEqual(await app.answer('c'), ['OK', 'pong']);
});

test('an address that is taken is named in the error', async () => {
  await using server = await startServer();
  const tcp = endpoint(server, 'tcp');
  const taken = { listen: [{ ...tcp }], secret: 'x' };
  await assert.rejects(startSipServer(taken), {
    code: 'SIP_LISTEN',
    side: 'listen',
    message: new RegExp(`^cannot listen on tcp/127.0.0.1:${tcp.port}: .*EADDRINUSE`),
  });
  await assert.rejects(startSipServer({ listen: [], secret: 'x', control: server.control }), {
    code: 'SIP_LISTEN',
    side: 'control',
  });
  await using _ = await connectApp(server);
});
