import assert from 'node:assert/strict';
import { test } from 'node:test';
import { header } from '../message/message.ts';
import { until } from '../test-support/inbox.ts';
import { Caller, OFFER, answerTo } from '../test-support/messages.ts';
import { answeringApp, connectApp, endpoint, request, startServer } from '../test-support/server.ts';
import { TcpPeer } from '../test-support/tcp-peer.ts';
import { UdpPeer } from '../test-support/udp-peer.ts';

const on = (address: string) => (['udp', 'tcp'] as const).map((protocol) => ({ protocol, address, port: 0 }));

test('a call over UDP and IPv6 has brackets in Via and Contact, and none in received', async () => {
  await using server = await startServer({ listen: on('::1') });
  const app = answeringApp();
  await using _ = await connectApp(server, app.prepare);
  await using peer = await UdpPeer.open('::1');
  const udp = endpoint(server, 'udp');
  const caller = new Caller('six', peer.port, 'UDP', '[::1]');
  peer.send(caller.request('INVITE', 1, { body: OFFER }), udp);
  const ok = await peer.response(200);
  assert.equal(header(ok, 'contact'), `<sip:[::1]:${udp.port}>`);
  assert.match(header(ok, 'via') ?? '', /^SIP\/2\.0\/UDP \[::1\]:\d+;.*received=::1;/);
  caller.learn(ok);
  peer.send(caller.request('ACK', 1), udp);
  await until('the dialog', () => app.dialogs.length === 1);
  app.dialogs[0]?.destroy();
  const bye = await peer.request('BYE');
  assert.equal(bye.uri, `sip:caller@[::1]:${peer.port}`);
  assert.ok(header(bye, 'via')?.startsWith(`SIP/2.0/UDP [::1]:${udp.port};`));
});

test('a call over TCP and IPv6 is answered on its connection', async () => {
  await using server = await startServer({ listen: on('::1') });
  const app = answeringApp();
  await using _ = await connectApp(server, app.prepare);
  await using peer = await TcpPeer.open(endpoint(server, 'tcp'));
  await peer.write(new Caller('six-tcp', peer.port, 'TCP', '[::1]').request('INVITE', 1, { body: OFFER }));
  assert.match(header(await peer.response(200), 'contact') ?? '', /^<sip:\[::1\]:\d+;transport=tcp>$/);
});

test('an IPv6 URI is called from the IPv6 listener', async () => {
  await using server = await startServer({ listen: [...on('127.0.0.1'), ...on('::1')] });
  await using srf = await connectApp(server);
  await using peer = await UdpPeer.open('::1');
  const answered = request(srf, `sip:x@[::1]:${peer.port}`, { method: 'OPTIONS' });
  const options = await peer.request('OPTIONS');
  assert.match(header(options, 'via') ?? '', /^SIP\/2\.0\/UDP \[::1\]:\d+;/);
  const from = server.addresses.find(({ protocol, address }) => protocol === 'udp' && address === '::1');
  peer.send(answerTo(options, '200 OK', 'callee'), from ?? assert.fail());
  assert.equal((await answered).status, 200);
});

test('a dual-stack listener serves IPv4 peers by their plain addresses', async () => {
  await using server = await startServer({ listen: on('::') });
  const app = answeringApp();
  await using _ = await connectApp(server, app.prepare);
  await using peer = await UdpPeer.open();
  const to = { ...endpoint(server, 'udp'), address: '127.0.0.1' };
  peer.send(new Caller('dual', peer.port).request('INVITE', 1, { body: OFFER }), to);
  const ok = await peer.response(200);
  assert.equal(header(ok, 'contact'), `<sip:127.0.0.1:${to.port}>`);
  assert.match(header(ok, 'via') ?? '', /received=127\.0\.0\.1;/);
});
