import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SipRequest } from './message/message.ts';
import { header } from './message/message.ts';
import { cseqOf } from './message/validate.ts';
import { heard, until } from './test-support/inbox.ts';
import { ANSWER, Caller, OFFER, answerTo } from './test-support/messages.ts';
import { RestartBench } from './test-support/restart-bench.ts';
import { requestWithin } from './test-support/server.ts';

test('after the server was killed, INFO, UPDATE, re-INVITE and BYE of its dialogs reach the application', async () => {
  await using bench = await RestartBench.open();
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
  await using bench = await RestartBench.open();
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
  await using bench = await RestartBench.open();
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
  await using bench = await RestartBench.open({ sessionSecondMs: 80 });
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
  await using bench = await RestartBench.open();
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
