import assert from 'node:assert/strict';
import { test } from 'node:test';
import { header } from './message/message.ts';
import { heard, until } from './test-support/inbox.ts';
import { Caller, OFFER } from './test-support/messages.ts';
import { Relay } from './test-support/relay.ts';
import { answeringApp, connectApp, endpoint, establish, startServer } from './test-support/server.ts';
import { UdpPeer } from './test-support/udp-peer.ts';

test('an application that was away gets the BYE that came meanwhile', async () => {
  await using server = await startServer();
  await using relay = await Relay.to(server.control);
  const app = answeringApp();
  await using _ = await connectApp(server, app.prepare, relay.address);
  await using peer = await UdpPeer.open();
  const { caller, dialog } = await establish(server, peer, app, 'away-1');

  relay.cut();
  await until('the application is away', () => server.counters()['now.applications'] === 0);
  assert.equal(server.counters()['now.dialogs'], 1);
  const destroyed = heard(dialog, 'destroy');
  peer.send(caller.request('BYE', 2), endpoint(server, 'udp'));
  await until('the BYE waits', () => server.counters()['request.parked'] === 1);
  relay.mend();
  await peer.response(200, 'BYE');
  await destroyed;
});

test('after its return an application goes on with its dialogs, in both directions', async () => {
  await using server = await startServer();
  await using relay = await Relay.to(server.control);
  const app = answeringApp();
  await using srf = await connectApp(server, app.prepare, relay.address);
  await using peer = await UdpPeer.open();
  const { caller, dialog } = await establish(server, peer, app, 'away-2');

  relay.cut();
  await until('the application is away', () => server.counters()['now.applications'] === 0);
  relay.mend();
  await heard(srf, 'connect');
  dialog.on('info', (_req, res) => res.send(200, { headers: { 'X-Seen': 'yes' } }));
  peer.send(caller.request('INFO', 2), endpoint(server, 'udp'));
  assert.equal(header(await peer.response(200, 'INFO'), 'x-seen'), 'yes');
  const destroyed = heard(dialog, 'destroy');
  peer.send(caller.request('BYE', 3), endpoint(server, 'udp'));
  await peer.response(200, 'BYE');
  await destroyed;
});

test('if the application stays away, the answer is 503; a BYE is told when it returns', async () => {
  await using server = await startServer({ appGraceMs: 100 });
  await using relay = await Relay.to(server.control);
  const app = answeringApp();
  await using _ = await connectApp(server, app.prepare, relay.address);
  await using peer = await UdpPeer.open();
  const { caller, dialog } = await establish(server, peer, app, 'away-3');

  relay.cut();
  await until('the application is away', () => server.counters()['now.applications'] === 0);
  peer.send(caller.request('INFO', 2), endpoint(server, 'udp'));
  assert.equal(header(await peer.response(503, 'INFO'), 'retry-after'), '1');
  const destroyed = heard(dialog, 'destroy');
  peer.send(caller.request('BYE', 3), endpoint(server, 'udp'));
  await peer.response(503, 'BYE');
  assert.equal(server.counters()['now.dialogs'], 1);
  relay.mend();
  await destroyed;
  assert.equal(server.counters()['now.dialogs'], 0);
});

test('an INVITE that an application left unanswered goes to its successor', async () => {
  await using server = await startServer();
  await using relay = await Relay.to(server.control);
  let isHeard = false;
  await using first = await connectApp(server, (srf) => srf.invite(() => (isHeard = true)), relay.address);
  await using peer = await UdpPeer.open();
  peer.send(new Caller('orphan', peer.port).request('INVITE', 1, { body: OFFER }), endpoint(server, 'udp'));
  await until('the first application has it', () => isHeard);
  relay.cut();
  await until('the application is away', () => server.counters()['now.applications'] === 0);
  await using _ = await connectApp(server, answeringApp().prepare);
  await peer.response(200, 'INVITE');
  relay.mend();
  await heard(first, 'connect');
});

test('an application that never comes back costs its caller a 503', async () => {
  await using server = await startServer({ appGraceMs: 100 });
  await using relay = await Relay.to(server.control);
  let isHeard = false;
  await using _ = await connectApp(server, (srf) => srf.invite(() => (isHeard = true)), relay.address);
  await using peer = await UdpPeer.open();
  peer.send(new Caller('alone', peer.port).request('INVITE', 1, { body: OFFER }), endpoint(server, 'udp'));
  await until('the application has it', () => isHeard);
  relay.cut();
  await peer.response(503, 'INVITE');
  relay.mend();
});
