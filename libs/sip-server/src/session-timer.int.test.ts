import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SipResponse } from './message/message.ts';
import { header } from './message/message.ts';
import { heard, until } from './test-support/inbox.ts';
import { Caller, answerTo } from './test-support/messages.ts';
import { answeringApp, connectApp, endpoint, establish, startServer } from './test-support/server.ts';
import { UdpPeer } from './test-support/udp-peer.ts';

const terms = (response: SipResponse) => [header(response, 'session-expires'), header(response, 'require')];

test('a session that its peer refreshes lives on; one it does not is ended, and the application told why', async () => {
  // 90 seconds of the timer are 1800 ms: the end comes 1200 ms after the last refresh.
  await using server = await startServer({ sessionSecondMs: 20 });
  const app = answeringApp();
  await using _ = await connectApp(server, app.prepare);
  await using peer = await UdpPeer.open();
  const timer = ['Supported: timer', 'Session-Expires: 90'];
  const { caller, dialog, ok } = await establish(server, peer, app, 'timed', timer);
  assert.deepEqual(terms(ok), ['90;refresher=uac', 'timer']);
  const began = performance.now();
  let refreshed = 0;
  for (let seq = 2; refreshed < began + 1400; seq++) {
    peer.send(caller.request('UPDATE', seq, { extra: ['Supported: timer'] }), endpoint(server, 'udp'));
    assert.deepEqual(terms(await peer.response(200, 'UPDATE')), ['90;refresher=uac', 'timer']);
    refreshed = performance.now();
  }
  const destroyed = heard(dialog, 'destroy');
  const bye = await peer.request('BYE');
  assert.ok(performance.now() - refreshed > 1000);
  assert.equal(header(bye, 'reason'), 'SIP;cause=200;text="Session timer expired"');
  assert.equal((await destroyed)[1], 'Session timer expired');
});

test('where that is left to the application, a session that is not refreshed stays until it hangs up; a late refresh counts', async () => {
  await using server = await startServer({ sessionSecondMs: 5, sessionExpiry: 'leave' });
  const app = answeringApp();
  await using _ = await connectApp(server, app.prepare);
  await using peer = await UdpPeer.open();
  const timer = ['Supported: timer', 'Session-Expires: 90'];
  const { caller, dialog } = await establish(server, peer, app, 'left', timer);
  await until('it is left', () => server.counters()['dialog.session-left'] === 1);
  peer.send(caller.request('UPDATE', 2, { extra: ['Supported: timer'] }), endpoint(server, 'udp'));
  assert.deepEqual(terms(await peer.response(200, 'UPDATE')), ['1800;refresher=uac', 'timer']);
  assert.equal(server.counters()['now.dialogs'], 1);
  dialog.destroy();
  peer.send(answerTo(await peer.request('BYE'), '200 OK', ''), endpoint(server, 'udp'));
  await until('it is over', () => server.counters()['now.dialogs'] === 0);
});

test('a session shorter than 90 s is refused with 422', async () => {
  await using server = await startServer();
  await using _ = await connectApp(server, answeringApp().prepare);
  await using peer = await UdpPeer.open();
  const extra = ['k: timer', 'x: 30'];
  peer.send(new Caller('hasty', peer.port).request('INVITE', 1, { extra }), endpoint(server, 'udp'));
  assert.equal(header(await peer.response(422), 'min-se'), '90');
});

for (const [method, allow] of [
  ['UPDATE', 'Allow: INVITE, ACK, UPDATE'],
  ['INVITE', 'Allow: INVITE, ACK'],
] as const) {
  test(`a peer that wants us to refresh gets ${method}, unseen by the application, and an end if it refuses`, async () => {
    await using server = await startServer({ sessionSecondMs: 5 });
    const app = answeringApp();
    await using _ = await connectApp(server, app.prepare);
    await using peer = await UdpPeer.open();
    const udp = endpoint(server, 'udp');
    const extra = ['Supported: timer', 'Session-Expires: 90;refresher=uas', allow];
    const { dialog, ok } = await establish(server, peer, app, `refresh-${method}`, extra);
    assert.deepEqual(terms(ok), ['90;refresher=uas', undefined]);

    const refresh = await peer.request(method);
    assert.equal(header(refresh, 'session-expires'), '90;refresher=uac');
    assert.equal(refresh.body.toString(), method === 'INVITE' ? ok.body.toString() : '');
    peer.send(answerTo(refresh, '200 OK', '', ['Session-Expires: 90;refresher=uac']), udp);
    if (method === 'INVITE') await peer.request('ACK');
    await until('it is refreshed', () => server.counters()['dialog.session-refreshed'] === 1);
    const destroyed = heard(dialog, 'destroy');
    peer.send(answerTo(await peer.request(method), '408 Request Timeout', ''), udp);
    await peer.request('BYE');
    await destroyed;
  });
}
