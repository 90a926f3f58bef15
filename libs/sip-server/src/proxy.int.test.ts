import assert from 'node:assert/strict';
import { test } from 'node:test';
import type Srf from 'drachtio-srf';
import { header, headers } from './message/message.ts';
import type { SipServer } from './server.ts';
import { until } from './test-support/inbox.ts';
import { Caller, OFFER, answerTo } from './test-support/messages.ts';
import { connectApp, endpoint, startServer } from './test-support/server.ts';
import { UdpPeer } from './test-support/udp-peer.ts';

type Results = { readonly connected: boolean; readonly finalStatus: number };

/** An application that proxies every call to these ports, one after the other. */
async function proxying(
  server: SipServer,
  ports: readonly number[],
  options: Srf.ProxyRequestOptions = {},
): Promise<{ app: Srf & AsyncDisposable; outcomes: (Results | string)[] }> {
  const outcomes: (Results | string)[] = [];
  const app = await connectApp(server, (srf) => {
    srf.invite((req) => {
      const to = ports.map((port) => `sip:home@127.0.0.1:${port}`);
      srf.proxyRequest(req, to, options, (error: unknown, results: unknown) => {
        outcomes.push(typeof error === 'string' ? error : (results as Results));
      });
    });
  });
  return { app, outcomes };
}

test('a call is forwarded, its answer comes back, and the 200 is repeated end to end', async () => {
  await using server = await startServer();
  await using peer = await UdpPeer.open();
  await using home = await UdpPeer.open();
  const { app, outcomes } = await proxying(server, [home.port]);
  await using _ = app;
  const udp = endpoint(server, 'udp');
  const caller = new Caller('proxied', peer.port);

  peer.send(caller.request('INVITE', 1, { body: OFFER }), udp);
  const invite = await home.request('INVITE');
  assert.equal(invite.uri, `sip:home@127.0.0.1:${home.port}`);
  assert.equal(invite.body.toString(), OFFER);
  assert.equal(header(invite, 'max-forwards'), '69');
  assert.equal(headers(invite, 'via').length, 2);
  assert.equal(header(invite, 'to'), '<sip:service@127.0.0.1>');
  home.send(answerTo(invite, '180 Ringing', 'home'), udp);
  const ringing = await peer.response(180);
  assert.equal(headers(ringing, 'via').length, 1);
  const contact = [`Contact: <sip:home@127.0.0.1:${home.port}>`];
  home.send(answerTo(invite, '200 OK', 'home', contact), udp);
  assert.match(header(await peer.response(200), 'to') ?? '', /tag=home$/);
  home.send(answerTo(invite, '200 OK', 'home', contact), udp);
  await peer.response(200);
  await until('the application knows', () => outcomes.length === 1);
  const [outcome] = outcomes;
  assert.ok(typeof outcome === 'object' && outcome.connected && outcome.finalStatus === 200);
  assert.equal(server.counters()['now.dialogs'], 0);
});

test('the next destination is tried after a failure, and the best failure goes back', async () => {
  await using server = await startServer();
  await using peer = await UdpPeer.open();
  await using first = await UdpPeer.open();
  await using second = await UdpPeer.open();
  const { app, outcomes } = await proxying(server, [first.port, second.port]);
  await using _ = app;
  const udp = endpoint(server, 'udp');

  peer.send(new Caller('serial', peer.port).request('INVITE', 1, { body: OFFER }), udp);
  first.send(answerTo(await first.request('INVITE'), '486 Busy Here', 'first'), udp);
  await first.request('ACK');
  second.send(answerTo(await second.request('INVITE'), '503 Service Unavailable', 'second'), udp);
  await second.request('ACK');
  await peer.response(486);
  await until('the application knows', () => outcomes.length === 1);
});

test('a silent destination is passed over', async () => {
  await using server = await startServer();
  await using peer = await UdpPeer.open();
  await using silent = await UdpPeer.open();
  await using second = await UdpPeer.open();
  const { app } = await proxying(server, [silent.port, second.port], { provisionalTimeout: '60ms' });
  await using _ = app;
  const udp = endpoint(server, 'udp');
  peer.send(new Caller('silent', peer.port).request('INVITE', 1, { body: OFFER }), udp);
  second.send(answerTo(await second.request('INVITE'), '404 Not Found', 'second'), udp);
  await peer.response(404);
});

test('a cancelled call is cancelled at its destination', async () => {
  await using server = await startServer();
  await using peer = await UdpPeer.open();
  await using home = await UdpPeer.open();
  const { app } = await proxying(server, [home.port]);
  await using _ = app;
  const udp = endpoint(server, 'udp');
  const caller = new Caller('proxy-cancel', peer.port);
  const branch = 'z9hG4bKpc';
  peer.send(caller.request('INVITE', 1, { body: OFFER, branch }), udp);
  const invite = await home.request('INVITE');
  home.send(answerTo(invite, '180 Ringing', 'home'), udp);
  await peer.response(180);
  peer.send(caller.request('CANCEL', 1, { branch, contact: false }), udp);
  await peer.response(200, 'CANCEL');
  home.send(answerTo(await home.request('CANCEL'), '200 OK', 'home'), udp);
  home.send(answerTo(invite, '487 Request Terminated', 'home'), udp);
  await peer.response(487, 'INVITE');
});

test('what is not covered is refused in words', async () => {
  await using server = await startServer();
  await using peer = await UdpPeer.open();
  const { app, outcomes } = await proxying(server, [peer.port], { forking: 'simultaneous' });
  await using _ = app;
  peer.send(new Caller('fork', peer.port).request('INVITE', 1), endpoint(server, 'udp'));
  await until('the application knows', () => outcomes.length === 1);
  assert.deepEqual(outcomes, ['simultaneous forking is not supported']);
});
