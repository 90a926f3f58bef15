import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { test } from 'node:test';
import type { SipRequest } from '../message/message.ts';
import { header } from '../message/message.ts';
import { until } from '../test-support/inbox.ts';
import { Caller, answerTo } from '../test-support/messages.ts';
import { connectApp, endpoint, startServer } from '../test-support/server.ts';
import { TcpPeer } from '../test-support/tcp-peer.ts';
import { UdpPeer } from '../test-support/udp-peer.ts';

const isRequest =
  (method: string) =>
  (message: { readonly kind: string }): message is SipRequest =>
    message.kind === 'request' && (message as SipRequest).method === method;

/** A body that makes any request larger than 1,300 bytes. */
const SDP = `v=0\r\n${'a=filler:0123456789\r\n'.repeat(80)}`;

/** Calls a URI with a large offer; the outcome is that of the call. */
function call(srf: Awaited<ReturnType<typeof connectApp>>, uri: string): Promise<unknown> {
  return srf.createUAC(uri, { localSdp: SDP }).catch((error: unknown) => error);
}

/** A TCP listener whose connections are peers. */
async function listener() {
  const peers: TcpPeer[] = [];
  const server = createServer((socket) => peers.push(TcpPeer.on(socket))).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    peers,
    port,
    [Symbol.asyncDispose]: async () => {
      for (const peer of peers) await peer[Symbol.asyncDispose]();
      server.close();
      await once(server, 'close');
    },
  };
}

test('a request above 1,300 bytes goes over TCP, once, and so does its ACK', async () => {
  await using server = await startServer();
  await using srf = await connectApp(server);
  await using callee = await listener();
  const outcome = call(srf, `sip:x@127.0.0.1:${callee.port}`);
  await until('a connection', () => callee.peers.length === 1);
  const peer = callee.peers[0] ?? assert.fail();
  const invite = await peer.inbox.next('INVITE', isRequest('INVITE'));
  assert.match(
    header(invite, 'via') ?? '',
    new RegExp(`^SIP/2.0/TCP 127.0.0.1:${endpoint(server, 'tcp').port};`),
  );
  // While a small request is repeated over UDP, over the stream nothing is.
  await using silent = await UdpPeer.open();
  void srf.createUAC(`sip:x@127.0.0.1:${silent.port}`, {}).catch(() => {});
  await until('three repeats', () => silent.inbox.all.length >= 4);
  assert.equal(peer.inbox.all.length, 1);
  await peer.write(answerTo(invite, '486 Busy Here', 'callee'));
  const ack = await peer.inbox.next('ACK', isRequest('ACK'));
  assert.equal(header(ack, 'via'), header(invite, 'via'));
  assert.equal(((await outcome) as { status: number }).status, 486);
});

test('where TCP is refused, the request goes over UDP after all, and the next one at once', async () => {
  await using server = await startServer();
  await using srf = await connectApp(server);
  await using peer = await UdpPeer.open();
  for (const _ of ['first', 'second']) {
    const outcome = call(srf, `sip:x@127.0.0.1:${peer.port}`);
    const invite = await peer.request('INVITE');
    assert.match(header(invite, 'via') ?? '', /^SIP\/2\.0\/UDP /);
    peer.send(answerTo(invite, '486 Busy Here', 'callee'), endpoint(server, 'udp'));
    await peer.request('ACK');
    assert.equal(((await outcome) as { status: number }).status, 486);
  }
  assert.equal(server.counters()['tcp.connection-error'], 1);
});

test('a response whose connection is gone opens a new one to the port of the Via', async () => {
  await using server = await startServer();
  let answer = (): void => {};
  await using _ = await connectApp(server, (srf) => {
    srf.invite((_req, res) => (answer = () => res.send(486)));
  });
  await using caller = await listener();
  {
    await using peer = await TcpPeer.open(endpoint(server, 'tcp'));
    await peer.write(new Caller('lost', caller.port, 'TCP').request('INVITE', 1));
    await peer.response(100);
  }
  await until('the close', () => server.counters()['now.connections'] === 0);
  answer();
  await until('a connection', () => caller.peers.length === 1);
  await caller.peers[0]?.response(486);
});
