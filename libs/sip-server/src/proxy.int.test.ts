import assert from 'node:assert/strict';
import { test } from 'node:test';
import type Srf from 'drachtio-srf';
import type { SipRequest } from './message/message.ts';
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

test('of destinations called at once the first to answer has the call, and the others are cancelled', async () => {
  await using server = await startServer();
  await using peer = await UdpPeer.open();
  await using slow = await UdpPeer.open();
  await using quick = await UdpPeer.open();
  const { app, outcomes } = await proxying(server, [slow.port, quick.port], { forking: 'simultaneous' });
  await using _ = app;
  const udp = endpoint(server, 'udp');
  peer.send(new Caller('forked', peer.port).request('INVITE', 1, { body: OFFER }), udp);
  const [atSlow, atQuick] = await Promise.all([slow.request('INVITE'), quick.request('INVITE')]);
  slow.send(answerTo(atSlow, '180 Ringing', 'slow'), udp);
  await peer.response(180);
  quick.send(answerTo(atQuick, '200 OK', 'quick', [`Contact: <sip:home@127.0.0.1:${quick.port}>`]), udp);
  assert.match(header(await peer.response(200), 'to') ?? '', /tag=quick$/);
  slow.send(answerTo(await slow.request('CANCEL'), '200 OK', 'slow'), udp);
  slow.send(answerTo(atSlow, '487 Request Terminated', 'slow'), udp);
  await slow.request('ACK');
  await until('the application knows', () => outcomes.length === 1);
  const [outcome] = outcomes;
  assert.ok(typeof outcome === 'object' && outcome.connected);
});

test('a 6xx calls the others off and goes back; a CANCEL calls all off', async () => {
  await using server = await startServer();
  await using peer = await UdpPeer.open();
  await using one = await UdpPeer.open();
  await using two = await UdpPeer.open();
  const { app } = await proxying(server, [one.port, two.port], { forking: 'simultaneous' });
  await using _ = app;
  const udp = endpoint(server, 'udp');
  const ringing = async (home: UdpPeer): Promise<SipRequest> => {
    const invite = await home.request('INVITE');
    home.send(answerTo(invite, '180 Ringing', 'home'), udp);
    return invite;
  };
  const calledOff = async (home: UdpPeer, invite: SipRequest): Promise<void> => {
    home.send(answerTo(await home.request('CANCEL'), '200 OK', 'home'), udp);
    home.send(answerTo(invite, '487 Request Terminated', 'home'), udp);
  };
  peer.send(new Caller('declined', peer.port).request('INVITE', 1, { body: OFFER }), udp);
  const first = await Promise.all([ringing(one), ringing(two)]);
  one.send(answerTo(first[0], '603 Decline', 'home'), udp);
  await calledOff(two, first[1]);
  await peer.response(603);

  const branch = 'z9hG4bKforkcancel';
  const caller = new Caller('regretted', peer.port);
  peer.send(caller.request('INVITE', 1, { body: OFFER, branch }), udp);
  const second = await Promise.all([ringing(one), ringing(two)]);
  await peer.response(180);
  peer.send(caller.request('CANCEL', 1, { branch, contact: false }), udp);
  await Promise.all([calledOff(one, second[0]), calledOff(two, second[1])]);
  await peer.response(487, 'INVITE');
});

test('a redirect is followed in the order of its q', async () => {
  await using server = await startServer();
  await using peer = await UdpPeer.open();
  await using pilot = await UdpPeer.open();
  await using best = await UdpPeer.open();
  await using second = await UdpPeer.open();
  const { app } = await proxying(server, [pilot.port], { followRedirects: true });
  await using _ = app;
  const udp = endpoint(server, 'udp');
  peer.send(new Caller('redirected', peer.port).request('INVITE', 1, { body: OFFER }), udp);
  const contacts = `Contact: <sip:b@127.0.0.1:${second.port}>;q=0.5, <sip:a@127.0.0.1:${best.port}>;q=0.9`;
  pilot.send(answerTo(await pilot.request('INVITE'), '302 Moved Temporarily', 'pilot', [contacts]), udp);
  best.send(answerTo(await best.request('INVITE'), '486 Busy Here', 'best'), udp);
  const invite = await second.request('INVITE');
  assert.equal(invite.uri, `sip:b@127.0.0.1:${second.port}`);
  second.send(answerTo(invite, '200 OK', 'second', [`Contact: <sip:b@127.0.0.1:${second.port}>`]), udp);
  await peer.response(200);
});

test('a proxy that remains in the dialog passes its requests on, both ways, and nobody else’s', async () => {
  await using peer = await UdpPeer.open();
  await using home = await UdpPeer.open();
  await using server = await startServer();
  const { app } = await proxying(server, [home.port], { remainInDialog: true });
  await using _ = app;
  const udp = endpoint(server, 'udp');
  const caller = new Caller('recorded', peer.port);
  peer.send(caller.request('INVITE', 1, { body: OFFER }), udp);
  const invite = await home.request('INVITE');
  const route = header(invite, 'record-route') ?? '';
  assert.match(route, new RegExp(`^<sip:127.0.0.1:${udp.port};lr;k=[0-9a-f]{20}>$`));
  home.send(answerTo(invite, '200 OK', 'home', [`Contact: <sip:home@127.0.0.1:${home.port}>`]), udp);
  const ok = await peer.response(200);
  assert.equal(header(ok, 'record-route'), route);
  caller.learn(ok);
  const extra = [`Route: ${route}`];
  peer.send(caller.request('ACK', 1, { extra }), udp);
  const ack = await home.request('ACK');
  assert.deepEqual([ack.uri, header(ack, 'route')], [`sip:home@127.0.0.1:${home.port}`, undefined]);

  peer.send(caller.request('INFO', 2, { extra }), udp);
  home.send(answerTo(await home.request('INFO'), '200 OK', ''), udp);
  await peer.response(200, 'INFO');
  const called = new Caller('recorded', home.port);
  called.target = `sip:caller@127.0.0.1:${peer.port}`;
  home.send(
    called
      .request('BYE', 9, { extra: [`Route: ${route}, <sip:127.0.0.1:${peer.port};lr>`] })
      .replace('To: <sip:service@127.0.0.1>', 'To: <sip:caller@127.0.0.1>;tag=caller'),
    udp,
  );
  const bye = await peer.request('BYE');
  assert.equal(header(bye, 'route'), `<sip:127.0.0.1:${peer.port};lr>`);
  peer.send(answerTo(bye, '200 OK', ''), udp);
  await home.response(200, 'BYE');

  peer.send(caller.request('INFO', 3, { extra: [`Route: ${route.replace(/k=\w{4}/, 'k=0000')}`] }), udp);
  await peer.response(481, 'INFO');
});

test('a request that has used up its hops, or has been here before, goes no further', async () => {
  await using server = await startServer();
  await using peer = await UdpPeer.open();
  await using home = await UdpPeer.open();
  const { app, outcomes } = await proxying(server, [home.port]);
  await using _ = app;
  const udp = endpoint(server, 'udp');
  const tired = new Caller('tired', peer.port).request('INVITE', 1);
  peer.send(tired.replace('Max-Forwards: 70', 'Max-Forwards: 0'), udp);
  await peer.response(483);
  const circling = new Caller('circling', peer.port).request('INVITE', 1);
  peer.send(circling, udp);
  const onward = await home.request('INVITE');
  const via = header(onward, 'via') ?? '';
  const back = circling.replace(
    'Via: ',
    `Via: SIP/2.0/UDP 127.0.0.1:${peer.port};branch=z9hG4bKcircle\r\nVia: ${via}\r\nVia: `,
  );
  home.send(answerTo(onward, '404 Not Found', 'home'), udp);
  await peer.response(404);
  peer.send(back, udp);
  await peer.response(482);
  await until('the application knows', () => outcomes.length === 3);
  assert.deepEqual(
    outcomes.filter((outcome) => typeof outcome === 'string'),
    ['Max-Forwards is used up', 'the request has come back to us'],
  );
});
