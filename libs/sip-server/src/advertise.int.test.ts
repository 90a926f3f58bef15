import assert from 'node:assert/strict';
import { test } from 'node:test';
import { header } from './message/message.ts';
import { until } from './test-support/inbox.ts';
import { Caller, OFFER, answerTo } from './test-support/messages.ts';
import { answeringApp, connectApp, endpoint, startServer } from './test-support/server.ts';
import { UdpPeer } from './test-support/udp-peer.ts';

const advertise = [
  { network: '127.0.0.0/8', address: '203.0.113.7' },
  { network: '::/0', address: '2001:db8::7' },
];

for (const [bound, brackets, known] of [
  ['127.0.0.1', '127.0.0.1', '203.0.113.7'],
  ['::1', '[::1]', '[2001:db8::7]'],
] as const)
  test(`behind a NAT a server on ${bound} is known by another address: in the Contact of its answers, in the Via of its BYE`, async () => {
    await using server = await startServer({
      listen: [{ protocol: 'udp', address: bound, port: 0 }],
      advertise,
    });
    const app = answeringApp();
    await using _ = await connectApp(server, app.prepare);
    await using peer = await UdpPeer.open(bound);
    const udp = endpoint(server, 'udp');
    const caller = new Caller('behind', peer.port, 'UDP', brackets);
    peer.send(caller.request('INVITE', 1, { body: OFFER }), udp);
    const ok = await peer.response(200);
    assert.equal(header(ok, 'contact'), `<sip:${known}:${udp.port}>`);
    caller.learn(ok);
    peer.send(caller.request('ACK', 1), udp);
    await until('the dialog', () => app.dialogs.length === 1);
    app.dialogs[0]?.destroy();
    const bye = await peer.request('BYE');
    assert.ok(header(bye, 'via')?.startsWith(`SIP/2.0/UDP ${known}:${udp.port};`), header(bye, 'via'));
    peer.send(answerTo(bye, '200 OK', ''), udp);
    await until('no dialog is left', () => server.counters()['now.dialogs'] === 0);
  });

test('an INVITE of our own has the address of the called network in Via, Contact and From', async () => {
  await using server = await startServer({
    listen: [{ protocol: 'udp', address: '127.0.0.1', port: 0 }],
    advertise,
  });
  await using srf = await connectApp(server);
  await using peer = await UdpPeer.open();
  const udp = endpoint(server, 'udp');
  const call = srf.createUAC(`sip:you@127.0.0.1:${peer.port}`, { localSdp: OFFER });
  const invite = await peer.request('INVITE');
  assert.ok(header(invite, 'via')?.startsWith(`SIP/2.0/UDP 203.0.113.7:${udp.port};`));
  assert.equal(header(invite, 'contact'), `<sip:203.0.113.7:${udp.port}>`);
  assert.match(header(invite, 'from') ?? '', /^<sip:203\.0\.113\.7:/);
  peer.send(answerTo(invite, '486 Busy Here', 'busy'), udp);
  await assert.rejects(call, { status: 486 });
});

test('a request that a server forwards and stays with names it as the next network knows it, and comes back to it', async () => {
  await using server = await startServer({
    listen: [{ protocol: 'udp', address: '127.0.0.1', port: 0 }],
    advertise,
  });
  await using near = await UdpPeer.open();
  await using far = await UdpPeer.open();
  await using _ = await connectApp(server, (srf) => {
    srf.invite((req) => {
      const options = { remainInDialog: true };
      srf.proxyRequest(req, [`sip:far@127.0.0.1:${far.port}`], options, () => undefined);
    });
  });
  const udp = endpoint(server, 'udp');
  const caller = new Caller('proxied', near.port);
  near.send(caller.request('INVITE', 1, { body: OFFER }), udp);
  const invite = await far.request('INVITE');
  assert.ok(header(invite, 'via')?.startsWith(`SIP/2.0/UDP 203.0.113.7:${udp.port};`));
  assert.match(header(invite, 'record-route') ?? '', new RegExp(`^<sip:203\\.0\\.113\\.7:${udp.port};lr;`));
  far.send(answerTo(invite, '200 OK', 'far', [`Contact: <sip:far@127.0.0.1:${far.port}>`]), udp);
  caller.learn(await near.response(200));
  near.send(caller.request('BYE', 2, { extra: [`Route: ${header(invite, 'record-route')}`] }), udp);
  const bye = await far.request('BYE');
  assert.equal(header(bye, 'route'), undefined);
});
