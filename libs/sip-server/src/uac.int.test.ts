import assert from 'node:assert/strict';
import { test } from 'node:test';
import type Srf from 'drachtio-srf';
import { header } from './message/message.ts';
import { heard, until } from './test-support/inbox.ts';
import { ANSWER, OFFER, answerTo } from './test-support/messages.ts';
import { answeringApp, connectApp, endpoint, request, startServer } from './test-support/server.ts';
import { UdpPeer } from './test-support/udp-peer.ts';

for (const protocol of ['udp', 'tcp'] as const) {
  test(`a call from one server to another over ${protocol}, modified and ended by either side`, async () => {
    await using near = await startServer();
    await using far = await startServer();
    const app = answeringApp();
    await using _ = await connectApp(far, app.prepare);
    await using srf = await connectApp(near);
    const uri = `sip:service@127.0.0.1:${endpoint(far, protocol).port};transport=${protocol}`;

    const call = await srf.createUAC(uri, { localSdp: OFFER, headers: { From: '<sip:me@localhost>' } });
    assert.equal(call.remote.sdp, ANSWER);
    await until('the other side has it', () => app.dialogs.length === 1);
    const answered = app.dialogs[0] ?? assert.fail();
    answered.on('modify', (req, res) => res.send(200, { body: req.body.replace('4000', '6000') }));
    assert.match(await call.modify(`${OFFER}a=sendonly\r\n`), /6000/);
    const ended = heard(answered, 'destroy');
    call.destroy();
    await ended;

    const second = await srf.createUAC(uri, { localSdp: OFFER });
    await until('the other side has it', () => app.dialogs.length === 2);
    const endedByThem = heard(second, 'destroy');
    app.dialogs[1]?.destroy();
    await endedByThem;
    await until('no dialog is left', () => [near, far].every((each) => each.counters()['now.dialogs'] === 0));
  });
}

test('@localhost is replaced in what goes out, also in what the application is told', async () => {
  await using server = await startServer();
  await using srf = await connectApp(server);
  await using peer = await UdpPeer.open();
  const udp = endpoint(server, 'udp');
  const call = srf.createUAC(`sip:you@127.0.0.1:${peer.port}`, {
    localSdp: OFFER,
    headers: { From: '"Me" <sip:me@localhost>', Contact: '<sip:me@localhost>' },
  });
  const invite = await peer.request('INVITE');
  assert.match(
    header(invite, 'from') ?? '',
    new RegExp(`^"Me" <sip:me@127.0.0.1:${udp.port}>;tag=[0-9a-f]{16}$`),
  );
  assert.equal(header(invite, 'contact'), `<sip:me@127.0.0.1:${udp.port}>`);
  assert.equal(header(invite, 'to'), `<sip:you@127.0.0.1:${peer.port}>`);
  assert.equal(header(invite, 'max-forwards'), '70');
  peer.send(answerTo(invite, '486 Busy Here', 'busy'), udp);
  await assert.rejects(call, { status: 486 });
  assert.equal(header(await peer.request('ACK'), 'to')?.endsWith(';tag=busy'), true);
  assert.equal(server.counters()['now.dialogs'], 0);
});

test('a CANCEL is held until the called side has said something', async () => {
  await using server = await startServer();
  await using srf = await connectApp(server);
  await using peer = await UdpPeer.open();
  const udp = endpoint(server, 'udp');
  let sent: Srf.SrfRequest | undefined;
  // The published type of this callback leaves out its first argument, the error.
  const progress = {
    cbRequest: (...args: unknown[]) => {
      sent = args[1] as Srf.SrfRequest;
    },
  };
  const call = srf.createUAC(`sip:you@127.0.0.1:${peer.port}`, { localSdp: OFFER }, progress);
  const invite = await peer.request('INVITE');
  await until('the application has the request', () => sent !== undefined);
  sent?.cancel(() => {});
  peer.send(answerTo(invite, '180 Ringing', 'ring'), udp);
  const cancel = await peer.request('CANCEL');
  assert.equal(header(cancel, 'via'), header(invite, 'via'));
  peer.send(answerTo(cancel, '200 OK', 'ring'), udp);
  peer.send(answerTo(invite, '487 Request Terminated', 'ring'), udp);
  await assert.rejects(call, { status: 487 });
  await peer.request('ACK');
  assert.equal(server.counters()['now.dialogs'], 0);
});

test('a call that two have answered is ended with the second', async () => {
  await using server = await startServer();
  await using srf = await connectApp(server);
  await using peer = await UdpPeer.open();
  const udp = endpoint(server, 'udp');
  const contact = [`Contact: <sip:you@127.0.0.1:${peer.port}>`];
  const call = srf.createUAC(`sip:you@127.0.0.1:${peer.port}`, { localSdp: OFFER });
  const invite = await peer.request('INVITE');
  peer.send(answerTo(invite, '200 OK', 'one', contact), udp);
  const first = await call;
  assert.match(header(await peer.request('ACK'), 'to') ?? '', /tag=one$/);
  peer.send(answerTo(invite, '200 OK', 'two', contact), udp);
  assert.match(header(await peer.request('ACK'), 'to') ?? '', /tag=two$/);
  const bye = await peer.request('BYE');
  assert.match(header(bye, 'to') ?? '', /tag=two$/);
  peer.send(answerTo(bye, '200 OK', ''), udp);
  first.destroy();
  assert.match(header(await peer.request('BYE'), 'to') ?? '', /tag=one$/);
});

test('nobody answers: the application gets a 408', async () => {
  await using server = await startServer({ timing: { t1: 5, t2: 20, t4: 20 } });
  await using srf = await connectApp(server);
  await using peer = await UdpPeer.open();
  const uri = `sip:you@127.0.0.1:${peer.port}`;
  await assert.rejects(Promise.resolve(srf.createUAC(uri, { localSdp: OFFER })), { status: 408 });
  assert.ok(peer.inbox.all.length > 3);
});

test('requests that can’t be sent are refused with the reason', async () => {
  await using server = await startServer();
  await using srf = await connectApp(server);
  const call = (uri: string): Promise<unknown> => Promise.resolve(srf.createUAC(uri, { localSdp: OFFER }));
  await assert.rejects(
    call(`sip:me@127.0.0.1:${endpoint(server, 'udp').port}`),
    /can not send request to myself/,
  );
  await assert.rejects(
    call('sip:me@127.0.0.1;transport=sctp'),
    /requested protocol\/transport not available/,
  );
  await assert.rejects(call('sip:[nonsense'), /invalid request-uri/);
  await assert.rejects(call('sip:me@127.0.0.1:1;transport=tcp'), { status: 503 });
});

test('OPTIONS goes out and its answer comes back, from one server to another', async () => {
  await using near = await startServer();
  await using far = await startServer();
  await using _ = await connectApp(far, (srf) => {
    srf.use('options', (_req, res) => res.send(200, { headers: { 'X-Load': '7' } }));
  });
  await using srf = await connectApp(near);
  const uri = `sip:127.0.0.1:${endpoint(far, 'tcp').port};transport=tcp`;
  const res = await request(srf, uri, { method: 'OPTIONS' });
  assert.deepEqual([res.status, res.get('X-Load')], [200, '7']);
});
