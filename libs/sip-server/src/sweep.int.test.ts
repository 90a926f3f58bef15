import assert from 'node:assert/strict';
import { test } from 'node:test';
import type Srf from 'drachtio-srf';
import { header } from './message/message.ts';
import { heard, until } from './test-support/inbox.ts';
import { Caller, OFFER, answerTo } from './test-support/messages.ts';
import { Relay } from './test-support/relay.ts';
import { answeringApp, connectApp, endpoint, establish, startServer } from './test-support/server.ts';
import { UdpPeer } from './test-support/udp-peer.ts';

test('a call whose application stays away is hung up at last', async () => {
  await using server = await startServer({ orphanMs: 200 });
  await using relay = await Relay.to(server.control);
  const app = answeringApp();
  await using _ = await connectApp(server, app.prepare, relay.address);
  await using peer = await UdpPeer.open();
  await establish(server, peer, app, 'orphan');
  relay.cut();
  const bye = await peer.request('BYE');
  assert.equal(header(bye, 'reason'), 'SIP;cause=200;text="application gone"');
  peer.send(answerTo(bye, '200 OK', ''), endpoint(server, 'udp'));
  await until('no dialog is left', () => server.counters()['now.dialogs'] === 0);
  relay.mend();
});

test('a silent peer is asked for a sign of life; without one the call ends', async () => {
  await using server = await startServer({ silentMs: 200, timing: { t1: 10, t2: 40, t4: 50 } });
  const app = answeringApp();
  await using _ = await connectApp(server, app.prepare);
  await using peer = await UdpPeer.open();
  const { dialog } = await establish(server, peer, app, 'silence');
  const options = await peer.request('OPTIONS');
  peer.send(answerTo(options, '405 Method Not Allowed', ''), endpoint(server, 'udp'));
  const destroyed = heard(dialog, 'destroy');
  await until('it is asked again', () =>
    peer.inbox.all.some(
      (each) => each.kind === 'request' && header(each, 'cseq') !== header(options, 'cseq'),
    ),
  );
  assert.equal(server.counters()['now.dialogs'], 1);
  await peer.request('BYE');
  assert.equal((await destroyed)[1], 'no answer');
});

test('a call that rings for ever ends when it is cancelled, whatever the other side does', async () => {
  await using server = await startServer({ timing: { t1: 5, t2: 20, t4: 20 } });
  await using srf = await connectApp(server);
  await using peer = await UdpPeer.open();
  let sent: Srf.SrfRequest | undefined;
  // The published type of this callback leaves out its first argument, the error.
  const progress = {
    cbRequest: (...args: unknown[]) => {
      sent = args[1] as Srf.SrfRequest;
    },
  };
  const call = srf.createUAC(`sip:you@127.0.0.1:${peer.port}`, { localSdp: OFFER }, progress);
  const invite = await peer.request('INVITE');
  peer.send(answerTo(invite, '180 Ringing', 'ring'), endpoint(server, 'udp'));
  await until('it rings', () => server.counters()['now.dialogs'] === 1);
  sent?.cancel(() => {});
  await assert.rejects(Promise.resolve(call), { status: 408 });
  await until('all is gone', () =>
    ['now.dialogs', 'now.transactions'].every((name) => server.counters()[name] === 0),
  );
});

test('several applications take new calls in turn, and each keeps its own', async () => {
  await using server = await startServer();
  const first = answeringApp();
  const second = answeringApp();
  await using _one = await connectApp(server, first.prepare);
  await using _two = await connectApp(server, second.prepare);
  await using peer = await UdpPeer.open();
  const udp = endpoint(server, 'udp');
  const callers: Caller[] = [];
  for (let at = 0; at < 6; at++) {
    const caller = new Caller(`shared-${at}`, peer.port);
    callers.push(caller);
    peer.send(caller.request('INVITE', 1, { body: OFFER }), udp);
    caller.learn(await peer.response(200));
    peer.send(caller.request('ACK', 1), udp);
  }
  await until('both have theirs', () => first.dialogs.length === 3 && second.dialogs.length === 3);
  for (const caller of callers) {
    peer.send(caller.request('BYE', 2), udp);
    await peer.response(200, 'BYE');
  }
  assert.equal(server.counters()['now.dialogs'], 0);
});
