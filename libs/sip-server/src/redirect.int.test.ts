import assert from 'node:assert/strict';
import { test } from 'node:test';
import type Srf from 'drachtio-srf';
import { header } from './message/message.ts';
import { until } from './test-support/inbox.ts';
import { Caller, OFFER } from './test-support/messages.ts';
import { connectApp, endpoint, startServer } from './test-support/server.ts';
import { TcpPeer } from './test-support/tcp-peer.ts';
import { UdpPeer } from './test-support/udp-peer.ts';

const HOME = '<sip:service@127.0.0.1:5070>;q=1.0,<sip:service@127.0.0.1:5071>;q=0.5';

/** An application that sends every call elsewhere, and is fine. */
function redirecting(srf: Srf): void {
  srf.invite((_, res) => res.send(302, { headers: { Contact: HOME } }));
  srf.use('options', (_, res) => res.send(200));
}

test('a call is redirected, and its failure acknowledged once is quiet', async () => {
  await using server = await startServer();
  await using _ = await connectApp(server, redirecting);
  await using peer = await UdpPeer.open();
  const caller = new Caller('redirect-1', peer.port);

  peer.send(caller.request('INVITE', 1, { body: OFFER, branch: 'z9hG4bKr1' }), endpoint(server, 'udp'));
  const moved = await peer.response(302);
  assert.equal(header(moved, 'contact'), HOME);
  assert.match(header(moved, 'to') ?? '', /;tag=\w+$/);
  caller.learn(moved);
  caller.target = 'sip:service@127.0.0.1';
  peer.send(caller.request('ACK', 1, { branch: 'z9hG4bKr1' }), endpoint(server, 'udp'));
  await until('the transaction has ended', () => server.counters()['now.transactions'] === 0);
  assert.equal(server.counters()['now.dialogs'], 0);
});

test('a lost 302 is repeated until its ACK, and a repeated INVITE gets it again', async () => {
  await using server = await startServer();
  await using _ = await connectApp(server, redirecting);
  await using peer = await UdpPeer.open();
  const caller = new Caller('redirect-2', peer.port);
  const invite = caller.request('INVITE', 1, { body: OFFER, branch: 'z9hG4bKr2' });

  peer.send(invite, endpoint(server, 'udp'));
  await peer.response(302);
  await peer.response(302);
  await peer.response(302);
  peer.send(invite, endpoint(server, 'udp'));
  const moved = await peer.response(302);
  caller.learn(moved);
  caller.target = 'sip:service@127.0.0.1';
  peer.send(caller.request('ACK', 1, { branch: 'z9hG4bKr2' }), endpoint(server, 'udp'));
  await until('the transaction has ended', () => server.counters()['now.transactions'] === 0);
  assert.equal(server.counters()['received.request'], 3);
});

test('OPTIONS is the application’s to answer', async () => {
  await using server = await startServer();
  await using _ = await connectApp(server, redirecting);
  await using peer = await UdpPeer.open();
  peer.send(new Caller('ping', peer.port).request('OPTIONS', 1), endpoint(server, 'udp'));
  await peer.response(200, 'OPTIONS');
});

test('without an application for the method, the answer is 503 with Retry-After', async () => {
  await using server = await startServer();
  await using peer = await UdpPeer.open();
  peer.send(new Caller('nobody', peer.port).request('INVITE', 1), endpoint(server, 'udp'));
  assert.equal(header(await peer.response(503), 'retry-after'), '1');
});

test('several applications take turns', async () => {
  await using server = await startServer();
  const calls = [0, 0];
  const counting = (at: 0 | 1) => (srf: Srf) => {
    srf.use('options', (_, res) => {
      calls[at] = (calls[at] ?? 0) + 1;
      res.send(200);
    });
  };
  await using _ = await connectApp(server, counting(0));
  await using __ = await connectApp(server, counting(1));
  await using peer = await UdpPeer.open();
  for (let seq = 1; seq <= 6; seq++) {
    peer.send(new Caller(`turn-${seq}`, peer.port).request('OPTIONS', seq), endpoint(server, 'udp'));
    await peer.response(200, 'OPTIONS');
  }
  assert.deepEqual(calls, [3, 3]);
});

test('over TCP, an INVITE split at any byte is redirected on the same connection', async () => {
  await using server = await startServer();
  await using _ = await connectApp(server, redirecting);
  await using peer = await TcpPeer.open(endpoint(server, 'tcp'));
  const length = new Caller('split-000', peer.port, 'TCP').request('INVITE', 1, { body: OFFER }).length;
  for (let at = 1; at < length; at++) {
    const caller = new Caller(`split-${String(at).padStart(3, '0')}`, peer.port, 'TCP');
    const branch = `z9hG4bKsplit${at}`;
    const invite = caller.request('INVITE', 1, { body: OFFER, branch });
    await peer.write(invite.slice(0, at));
    await peer.write(invite.slice(at));
    const moved = await peer.response(302);
    assert.equal(header(moved, 'call-id'), caller.callId);
    caller.remoteTag = /tag=(\w+)/.exec(header(moved, 'to') ?? '')?.[1] ?? '';
    await peer.write(caller.request('ACK', 1, { branch }));
  }
  await until('the transactions have ended', () => server.counters()['now.transactions'] === 0);
});

test('a TCP peer that sends garbage, too much, or unframed messages is closed and counted; others are not harmed', async () => {
  await using server = await startServer({ tcpPartialMs: 100 });
  await using _ = await connectApp(server, redirecting);
  await using good = await TcpPeer.open(endpoint(server, 'tcp'));
  const bad: readonly (readonly [string, string])[] = [
    ['\u0000\u0001\u0002', 'tcp.closed.not-sip'],
    ['A'.repeat(70_000), 'tcp.closed.oversize'],
    ['OPTIONS sip:a@b SIP/2.0\r\nContent-Length: 99999\r\n\r\n', 'tcp.closed.oversize'],
    ['OPTIONS sip:a@b SIP/2.0\r\nl: many\r\n\r\n', 'tcp.closed.content-length'],
    ['OPTIONS sip:a@b', 'tcp.closed.partial'],
  ];
  for (const [bytes, counter] of bad) {
    const before = server.counters()[counter] ?? 0;
    await using peer = await TcpPeer.open(endpoint(server, 'tcp'));
    await peer.write(bytes);
    await peer.closed;
    assert.equal(server.counters()[counter], before + 1, counter);
  }
  await using unframed = await TcpPeer.open(endpoint(server, 'tcp'));
  const options = new Caller('unframed', unframed.port, 'TCP').request('OPTIONS', 1);
  await unframed.write(options.replace(/Content-Length.*\r\n/, ''));
  await unframed.response(400);
  await unframed.closed;
  await good.write('\r\n\r\n');
  await until('the keep-alive is answered', () => good.keepalives === 1);
  await good.write(new Caller('good', good.port, 'TCP').request('OPTIONS', 1));
  await good.response(200);
});

test('a malformed request is answered 400 where it can be, counted, and never passed on', async () => {
  await using server = await startServer();
  let passed = 0;
  await using _ = await connectApp(server, (srf) => {
    srf.use('options', (_req, res) => {
      passed++;
      res.send(200);
    });
  });
  await using peer = await UdpPeer.open();
  const udp = endpoint(server, 'udp');
  const good = new Caller('bad', peer.port).request('OPTIONS', 1);
  peer.send(good.replace('Content-Length: 0', 'Content-Length: 5'), udp);
  await peer.response(400);
  peer.send(good.replace('1 OPTIONS', '1 INVITE'), udp);
  await peer.response(400);
  peer.send(good.replace('SIP/2.0\r\nVia', 'SIP/3.0\r\nVia'), udp);
  await peer.response(505);
  peer.send('nonsense', udp);
  peer.send(Buffer.alloc(0), udp);
  await until('nonsense is counted', () => server.counters()['malformed.head-end'] === 1);
  const counters = server.counters();
  assert.equal(counters['malformed.content-length'], 1);
  assert.equal(counters['malformed.cseq'], 1);
  assert.equal(counters['malformed.version'], 1);
  assert.equal(passed, 0);
});

test('IPv6 peers are served like the others', async () => {
  await using server = await startServer({ listen: [{ protocol: 'udp', address: '::1', port: 0 }] });
  await using _ = await connectApp(server, redirecting);
  await using peer = await UdpPeer.open('::1');
  const caller = new Caller('six', peer.port);
  peer.send(caller.request('INVITE', 1).replaceAll('127.0.0.1', '[::1]'), endpoint(server, 'udp'));
  const moved = await peer.response(302);
  assert.match(header(moved, 'via') ?? '', /UDP \[::1\]:\d+;.*received=::1/);
});
