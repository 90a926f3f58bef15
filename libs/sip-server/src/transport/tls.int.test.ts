import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { AddressInfo, Socket } from 'node:net';
import { connect as connectPlain } from 'node:net';
import { test } from 'node:test';
import type { TLSSocket } from 'node:tls';
import { connect, createServer } from 'node:tls';
import { header } from '../message/message.ts';
import { parseMessage } from '../message/parse.ts';
import type { SipServerOptions } from '../server.ts';
import { until } from '../test-support/inbox.ts';
import { Caller, OFFER, answerTo } from '../test-support/messages.ts';
import { SECRET, answeringApp, connectApp, endpoint, request, startServer } from '../test-support/server.ts';
import { TcpPeer } from '../test-support/tcp-peer.ts';
import { startSipServer } from '../server.ts';

const pem = (name: string): Buffer => readFileSync(new URL(`../../fixtures/tls/${name}`, import.meta.url));
const identity = { cert: pem('peer.pem'), key: pem('peer.key'), ca: pem('ca.pem') };
const stranger = { cert: pem('stranger.pem'), key: pem('stranger.key') };
const listen: SipServerOptions['listen'] = [
  { protocol: 'udp', address: '127.0.0.1', port: 0 },
  { protocol: 'tls', address: '127.0.0.1', port: 0 },
];

async function open(to: { readonly address: string; readonly port: number }, own = {}): Promise<TcpPeer> {
  const socket = connect({ host: to.address, port: to.port, ca: identity.ca, ...own });
  await once(socket, 'secureConnect');
  return TcpPeer.on(socket);
}

test('a call over TLS is answered with a Contact that stays on TLS, and taken back on the same connection', async () => {
  await using server = await startServer({ listen, tls: identity });
  const app = answeringApp();
  await using _ = await connectApp(server, app.prepare);
  await using peer = await open(endpoint(server, 'tls'));
  const caller = new Caller('over-tls', peer.port, 'TLS');
  await peer.write(caller.request('INVITE', 1, { body: OFFER }));
  const ok = await peer.response(200);
  assert.match(header(ok, 'contact') ?? '', /^<sip:127\.0\.0\.1:\d+;transport=tls>$/);
  caller.learn(ok);
  await peer.write(caller.request('ACK', 1));
  await until('the dialog', () => app.dialogs.length === 1);
  app.dialogs[0]?.destroy();
  const bye = await peer.inbox.next('BYE', (each) => each.kind === 'request');
  assert.match(header(bye, 'via') ?? '', /^SIP\/2\.0\/TLS /);
});

test('a sips request gets a sips Contact', async () => {
  await using server = await startServer({ listen, tls: identity });
  const app = answeringApp();
  await using _ = await connectApp(server, app.prepare);
  await using peer = await open(endpoint(server, 'tls'));
  const caller = new Caller('sips', peer.port, 'TLS');
  caller.target = 'sips:service@127.0.0.1';
  await peer.write(caller.request('INVITE', 1, { body: OFFER }));
  assert.match(header(await peer.response(200), 'contact') ?? '', /^<sips:127\.0\.0\.1:\d+>$/);
});

for (const uri of ['sip:x@127.0.0.1:PORT;transport=tls', 'sips:x@127.0.0.1:PORT', 'sips:x@localhost:PORT']) {
  test(`${uri} is called over TLS, its certificate checked against the authority`, async () => {
    await using server = await startServer({ listen, tls: identity });
    await using srf = await connectApp(server);
    const callee = createServer({ cert: identity.cert, key: identity.key }, answerAll).listen(0, '127.0.0.1');
    await once(callee, 'listening');
    const port = String((callee.address() as AddressInfo).port);
    const response = await request(srf, uri.replace('PORT', port), { method: 'OPTIONS' });
    assert.equal(response.status, 200);
    callee.close();
  });
}

test('a server with a certificate of somebody else is not spoken to', async () => {
  await using server = await startServer({ listen, tls: identity });
  await using srf = await connectApp(server);
  const callee = createServer(stranger, answerAll).listen(0, '127.0.0.1');
  callee.on('tlsClientError', () => {});
  await once(callee, 'listening');
  const { port } = callee.address() as AddressInfo;
  const response = await request(srf, `sips:x@127.0.0.1:${port}`, { method: 'OPTIONS' });
  assert.equal(response.status, 503);
  callee.close();
});

test('with verification on, only clients that the authority has signed get in', async () => {
  await using server = await startServer({ listen, tls: { ...identity, verifyClients: true } });
  const to = endpoint(server, 'tls');
  for (const own of [{}, stranger]) {
    const socket = connect({ host: to.address, port: to.port, ca: identity.ca, ...own });
    await ended(socket);
  }
  await until('both are counted', () => server.counters()['tls.closed.handshake'] === 2);
  await using peer = await open(to, { cert: identity.cert, key: identity.key });
  await peer.write(new Caller('known', peer.port, 'TLS').request('INFO', 1));
  await peer.response(503);
});

test('a handshake that does not end is given up, and one that is plain text refused', async () => {
  await using server = await startServer({ listen, tls: identity, tcpPartialMs: 50 });
  const to = endpoint(server, 'tls');
  for (const bytes of [Buffer.from([0x16, 3, 1]), Buffer.from('OPTIONS sip:x SIP/2.0\r\n\r\n')]) {
    const socket = connectPlain(to.port, to.address);
    socket.write(bytes);
    await ended(socket);
  }
  await until('both are counted', () => server.counters()['tls.closed.handshake'] === 2);
});

test('a TLS listener without a certificate, or with a broken one, is refused at the start', async () => {
  for (const tls of [undefined, { ...identity, key: Buffer.from('no key') }]) {
    const options = { listen, secret: SECRET, ...(tls === undefined ? {} : { tls }) };
    await assert.rejects(startSipServer(options), { code: 'SIP_LISTEN' });
  }
});

/** Resolves once the peer has closed, however. */
function ended(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    socket.on('error', () => {});
    socket.on('close', () => resolve());
    socket.resume();
  });
}

/** A callee that answers 200 to whatever comes whole in one read. */
function answerAll(socket: TLSSocket): void {
  socket.on('error', () => {});
  socket.on('data', (bytes) => {
    const parsed = parseMessage(bytes);
    if (parsed.ok && parsed.message.kind === 'request') {
      socket.write(answerTo(parsed.message, '200 OK', 'callee'));
    }
  });
}
