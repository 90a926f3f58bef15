import assert from 'node:assert/strict';
import type { EventEmitter } from 'node:events';
import { test } from 'node:test';
import { header, headers } from './message/message.ts';
import { heard, until } from './test-support/inbox.ts';
import { ANSWER, Caller, OFFER, answerTo } from './test-support/messages.ts';
import { answeringApp, connectApp, endpoint, establish, startServer } from './test-support/server.ts';
import { TcpPeer } from './test-support/tcp-peer.ts';
import { UdpPeer } from './test-support/udp-peer.ts';

test('a call is answered, acknowledged and ended by the caller', async () => {
  await using server = await startServer();
  const app = answeringApp();
  await using _ = await connectApp(server, app.prepare);
  await using peer = await UdpPeer.open();
  const udp = endpoint(server, 'udp');
  const { caller, dialog, ok } = await establish(server, peer, app, 'call-1');
  assert.equal(ok.body.toString(), ANSWER);
  assert.equal(header(ok, 'contact'), `<sip:127.0.0.1:${udp.port}>`);
  assert.match(header(ok, 'via') ?? '', new RegExp(`;received=127.0.0.1;rport=${peer.port}$`));

  const destroyed = heard(dialog, 'destroy');
  peer.send(caller.request('BYE', 2), udp);
  await peer.response(200, 'BYE');
  await destroyed;
  assert.equal(server.counters()['now.dialogs'], 0);
  peer.send(caller.request('INFO', 3), udp);
  await peer.response(481);
});

test('a call is ended by the application', async () => {
  await using server = await startServer();
  const app = answeringApp();
  await using _ = await connectApp(server, app.prepare);
  await using peer = await UdpPeer.open();
  const { dialog, caller } = await establish(server, peer, app, 'call-2');

  dialog.destroy({ headers: { Reason: 'Q.850;cause=16' } });
  const bye = await peer.request('BYE');
  assert.equal(bye.uri, `sip:caller@127.0.0.1:${peer.port}`);
  assert.equal(header(bye, 'from'), `<sip:service@127.0.0.1>;tag=${caller.remoteTag}`);
  assert.equal(header(bye, 'to'), '"Caller" <sip:caller@127.0.0.1>;tag=caller');
  assert.equal(header(bye, 'reason'), 'Q.850;cause=16');
  peer.send(answerTo(bye, '200 OK', ''), endpoint(server, 'udp'));
  await until('the dialog is gone', () => server.counters()['now.dialogs'] === 0);
});

test('a 200 is repeated until its ACK comes', async () => {
  await using server = await startServer();
  const app = answeringApp();
  await using _ = await connectApp(server, app.prepare);
  await using peer = await UdpPeer.open();
  const udp = endpoint(server, 'udp');
  const caller = new Caller('lost-ack', peer.port);
  const invite = caller.request('INVITE', 1, { body: OFFER });
  peer.send(invite, udp);
  caller.learn(await peer.response(200));
  await peer.response(200);
  peer.send(invite, udp);
  await peer.response(200);
  const [dialog] = app.dialogs;
  assert.ok(dialog && app.dialogs.length === 1);
  const acked = heard(dialog, 'ack');
  peer.send(caller.request('ACK', 1), udp);
  await acked;
  const before = peer.inbox.all.length;
  peer.send(caller.request('INFO', 2), udp);
  await peer.response(200, 'INFO');
  assert.equal(peer.inbox.all.length, before + 1);
});

test('a 200 that is never acknowledged ends in a BYE, which the application hears of', async () => {
  await using server = await startServer({ timing: { t1: 10, t2: 40, t4: 50 } });
  const app = answeringApp();
  await using _ = await connectApp(server, app.prepare);
  await using peer = await UdpPeer.open();
  peer.send(new Caller('no-ack', peer.port).request('INVITE', 1, { body: OFFER }), endpoint(server, 'udp'));
  await peer.response(200);
  await until('the application has the dialog', () => app.dialogs.length === 1);
  const destroyed = heard(app.dialogs[0] ?? assert.fail(), 'destroy');
  const bye = await peer.request('BYE');
  assert.equal(header(bye, 'reason'), 'SIP;cause=200;text="ACK timeout"');
  assert.equal((await destroyed)[1], 'ACK timeout');
  assert.equal(server.counters()['now.dialogs'], 0);
});

test('CANCEL is answered together with the INVITE, and the application hears of it', async () => {
  await using server = await startServer();
  const cancelled: string[] = [];
  await using _ = await connectApp(server, (srf) => {
    srf.invite((req, res) => {
      req.on('cancel', () => cancelled.push(req.callId));
      res.send(180);
    });
  });
  await using peer = await UdpPeer.open();
  const udp = endpoint(server, 'udp');
  const caller = new Caller('cancelled', peer.port);
  const branch = 'z9hG4bKcancel';
  peer.send(caller.request('INVITE', 1, { body: OFFER, branch }), udp);
  const ringing = await peer.response(180);
  assert.equal(server.counters()['now.dialogs'], 1);
  peer.send(caller.request('CANCEL', 1, { branch, contact: false }), udp);
  await peer.response(200, 'CANCEL');
  const terminated = await peer.response(487, 'INVITE');
  assert.equal(header(terminated, 'to'), header(ringing, 'to'));
  caller.learn(terminated);
  peer.send(caller.request('ACK', 1, { branch }), udp);
  await until('the application knows', () => cancelled.length === 1);
  assert.equal(server.counters()['now.dialogs'], 0);
  peer.send(caller.request('CANCEL', 1, { branch: 'z9hG4bKother' }), udp);
  await peer.response(481, 'CANCEL');
});

test('INFO, UPDATE and re-INVITE of the caller reach the dialog and move its target', async () => {
  await using server = await startServer();
  const app = answeringApp();
  await using _ = await connectApp(server, app.prepare);
  await using peer = await UdpPeer.open();
  const udp = endpoint(server, 'udp');
  const { caller, dialog } = await establish(server, peer, app, 'within');
  const seen: string[] = [];
  dialog.on('info', (req, res) => {
    seen.push(req.body);
    res.send(200);
  });
  dialog.on('modify', (req, res) => {
    seen.push(req.body);
    res.send(200, { body: ANSWER });
  });
  peer.send(caller.request('INFO', 2, { body: 'digit=1' }), udp);
  await peer.response(200, 'INFO');
  peer.send(caller.request('UPDATE', 3), udp);
  await peer.response(200, 'UPDATE');
  const moved = OFFER.replace('4000', '4002');
  const reinvite = caller.request('INVITE', 4, { body: moved }).replace('<sip:caller@', '<sip:moved@');
  peer.send(reinvite.replace('Contact: <sip:caller@', 'Contact: <sip:moved@'), udp);
  const ok = await peer.response(200, 'INVITE');
  assert.equal(ok.body.toString(), ANSWER);
  assert.equal(header(ok, 'contact'), `<sip:127.0.0.1:${udp.port}>`);
  const acked = heard(dialog, 'ack');
  peer.send(caller.request('ACK', 4), udp);
  await acked;
  assert.deepEqual(seen, ['digit=1', moved]);
  dialog.destroy();
  assert.equal((await peer.request('BYE')).uri, `sip:moved@127.0.0.1:${peer.port}`);
});

test('an older CSeq is refused, and two INVITEs at once collide', async () => {
  await using server = await startServer();
  const app = answeringApp();
  await using _ = await connectApp(server, app.prepare);
  await using peer = await UdpPeer.open();
  const udp = endpoint(server, 'udp');
  const { caller, dialog } = await establish(server, peer, app, 'order');
  dialog.on('modify', () => {});
  peer.send(caller.request('INVITE', 5, { body: OFFER.replace('4000', '4002') }), udp);
  await peer.response(100);
  peer.send(caller.request('INFO', 4), udp);
  await peer.response(500, 'INFO');
  peer.send(caller.request('INVITE', 6, { body: OFFER.replace('4000', '4004') }), udp);
  assert.match(header(await peer.response(500, 'INVITE'), 'retry-after') ?? '', /^\d$/);
});

test('a re-INVITE of the application is answered and acknowledged; one of the peer meanwhile gets 491', async () => {
  await using server = await startServer();
  const app = answeringApp();
  await using _ = await connectApp(server, app.prepare);
  await using peer = await UdpPeer.open();
  const udp = endpoint(server, 'udp');
  const { caller, dialog } = await establish(server, peer, app, 'modify');
  const modified = dialog.modify(ANSWER.replace('5000', '5002'));
  const invite = await peer.request('INVITE');
  assert.match(invite.body.toString(), /5002/);
  assert.equal(header(invite, 'content-type'), 'application/sdp');
  peer.send(caller.request('INVITE', 2, { body: OFFER }), udp);
  await peer.response(491, 'INVITE');
  peer.send(answerTo(invite, '200 OK', '', [`Contact: <sip:after@127.0.0.1:${peer.port}>`]), udp);
  const ack = await peer.request('ACK');
  assert.equal(ack.uri, `sip:after@127.0.0.1:${peer.port}`);
  assert.equal(header(ack, 'cseq'), header(invite, 'cseq')?.replace('INVITE', 'ACK'));
  await modified;
  peer.send(answerTo(invite, '200 OK', '', [`Contact: <sip:after@127.0.0.1:${peer.port}>`]), udp);
  assert.deepEqual(await peer.request('ACK'), ack);
});

test('an INVITE without an offer gets one, and its ACK brings the answer', async () => {
  await using server = await startServer();
  const app = answeringApp();
  await using _ = await connectApp(server, app.prepare);
  await using peer = await UdpPeer.open();
  const udp = endpoint(server, 'udp');
  const caller = new Caller('late-offer', peer.port);
  peer.send(caller.request('INVITE', 1), udp);
  caller.learn(await peer.response(200));
  await until('the application has the dialog', () => app.dialogs.length === 1);
  const dialog = app.dialogs[0] ?? assert.fail();
  const acked = heard(dialog, 'ack');
  peer.send(caller.request('ACK', 1, { body: OFFER }), udp);
  await acked;
  assert.equal(dialog.remote.sdp, OFFER);
});

test('Record-Route of the request is in the answer, and is the route of our requests', async () => {
  await using server = await startServer();
  const app = answeringApp();
  await using _ = await connectApp(server, app.prepare);
  await using peer = await UdpPeer.open();
  const route = [`<sip:127.0.0.1:${peer.port};lr>`, '<sip:far.example;lr>'];
  const { dialog, ok } = await establish(server, peer, app, 'routed', [
    `Record-Route: ${route[0]}`,
    `Record-Route: ${route[1]}`,
  ]);
  assert.deepEqual(headers(ok, 'record-route'), route);
  dialog.destroy();
  const bye = await peer.request('BYE');
  assert.deepEqual(headers(bye, 'route'), route);
  assert.equal(bye.uri, `sip:caller@127.0.0.1:${peer.port}`);
});

test('a call over TCP stays on its connection', async () => {
  await using server = await startServer();
  const app = answeringApp();
  await using _ = await connectApp(server, app.prepare);
  await using peer = await TcpPeer.open(endpoint(server, 'tcp'));
  const caller = new Caller('stream', peer.port, 'TCP');
  await peer.write(caller.request('INVITE', 1, { body: OFFER }));
  const ok = await peer.response(200);
  assert.match(header(ok, 'contact') ?? '', /;transport=tcp>$/);
  caller.learn(ok);
  await peer.write(caller.request('ACK', 1));
  await until('the application has the dialog', () => app.dialogs.length === 1);
  app.dialogs[0]?.destroy();
  const bye = await peer.inbox.next('BYE', (message) => message.kind === 'request');
  assert.match(header(bye, 'via') ?? '', /^SIP\/2.0\/TCP/);
});

test('names and bodies pass unharmed in any script', async () => {
  await using server = await startServer();
  const names: string[] = [];
  await using _ = await connectApp(server, (srf) => {
    srf.invite((req, res) => {
      names.push(req.get('From'), req.body);
      res.send(486, { headers: { 'X-Note': 'später 録音', 'Content-Type': 'text/plain' }, body: 'Grüße' });
    });
  });
  await using peer = await UdpPeer.open();
  const caller = new Caller('script', peer.port);
  const invite = caller.request('INVITE', 1, { body: 'größe' }).replace('"Caller"', '"Jürgen 録音"');
  peer.send(Buffer.from(invite), endpoint(server, 'udp'));
  const busy = await peer.response(486);
  assert.match(names[0] ?? '', /^"Jürgen 録音"/);
  assert.equal(names[1], 'größe');
  assert.equal(busy.body.toString(), 'Grüße');
  assert.equal(Buffer.from(header(busy, 'x-note') ?? '', 'latin1').toString(), 'später 録音');
});

test('an UPDATE that comes before the answer reaches the application', async () => {
  await using server = await startServer();
  await using _ = await connectApp(server, (srf) => {
    srf.invite((req, res) => {
      // The published types don't know this event.
      const early = req as unknown as EventEmitter;
      early.on('update', (_update: unknown, reply: { send(status: number): void }) => {
        reply.send(200);
        res.send(486);
      });
      res.send(180);
    });
  });
  await using peer = await UdpPeer.open();
  const udp = endpoint(server, 'udp');
  const caller = new Caller('early', peer.port);
  peer.send(caller.request('INVITE', 1, { body: OFFER }), udp);
  caller.learn(await peer.response(180));
  peer.send(caller.request('UPDATE', 2), udp);
  await peer.response(200, 'UPDATE');
  await peer.response(486, 'INVITE');
  assert.equal(server.counters()['now.dialogs'], 0);
});

test('a request that comes on two paths is answered on one of them', async () => {
  await using server = await startServer();
  const app = answeringApp();
  await using _ = await connectApp(server, app.prepare);
  await using peer = await UdpPeer.open();
  const udp = endpoint(server, 'udp');
  const caller = new Caller('merged', peer.port);
  peer.send(caller.request('INVITE', 1, { body: OFFER }), udp);
  await peer.response(200);
  peer.send(caller.request('INVITE', 1, { body: OFFER }), udp);
  await peer.response(482);
  assert.equal(app.dialogs.length, 1);
});

test('a request that was refused may come again', async () => {
  await using server = await startServer();
  let calls = 0;
  await using _ = await connectApp(server, (srf) => {
    srf.invite((_req, res) => res.send(calls++ === 0 ? 503 : 486));
  });
  await using peer = await UdpPeer.open();
  const caller = new Caller('again', peer.port);
  for (const status of [503, 486]) {
    peer.send(caller.request('INVITE', 1, { body: OFFER }), endpoint(server, 'udp'));
    await peer.response(status);
  }
});

test('a BYE before the answer ends the call like a CANCEL', async () => {
  await using server = await startServer();
  const cancelled: string[] = [];
  await using _ = await connectApp(server, (srf) => {
    srf.invite((req, res) => {
      req.on('cancel', () => cancelled.push(req.callId));
      res.send(180);
    });
  });
  await using peer = await UdpPeer.open();
  const udp = endpoint(server, 'udp');
  const caller = new Caller('early-bye', peer.port);
  peer.send(caller.request('INVITE', 1, { body: OFFER }), udp);
  caller.learn(await peer.response(180));
  peer.send(caller.request('BYE', 2), udp);
  await peer.response(487, 'INVITE');
  await peer.response(200, 'BYE');
  await until('the application knows', () => cancelled.length === 1);
  assert.equal(server.counters()['now.dialogs'], 0);
});

test('a BYE of ours while our re-INVITE is unanswered cancels that first', async () => {
  await using server = await startServer();
  const app = answeringApp();
  await using _ = await connectApp(server, app.prepare);
  await using peer = await UdpPeer.open();
  const udp = endpoint(server, 'udp');
  const { dialog } = await establish(server, peer, app, 'hasty-bye');
  const modified = assert.rejects(Promise.resolve(dialog.modify(ANSWER.replace('5000', '5002'))));
  const invite = await peer.request('INVITE');
  peer.send(answerTo(invite, '180 Ringing', ''), udp);
  dialog.destroy();
  const cancel = await peer.request('CANCEL');
  peer.send(answerTo(cancel, '200 OK', ''), udp);
  peer.send(answerTo(invite, '487 Request Terminated', ''), udp);
  peer.send(answerTo(await peer.request('BYE'), '200 OK', ''), udp);
  await until('the dialog is gone', () => server.counters()['now.dialogs'] === 0);
  await modified;
});

test('a known method that no application takes gets 405 with what they take; 503 while there is none', async () => {
  await using server = await startServer();
  await using peer = await UdpPeer.open();
  const udp = endpoint(server, 'udp');
  peer.send(new Caller('early', peer.port).request('MESSAGE', 1), udp);
  assert.equal(header(await peer.response(503, 'MESSAGE'), 'retry-after'), '1');
  const app = answeringApp();
  await using _ = await connectApp(server, app.prepare);
  peer.send(new Caller('late', peer.port).request('MESSAGE', 1), udp);
  assert.match(
    header(await peer.response(405, 'MESSAGE'), 'allow') ?? '',
    /^(?=.*\bINVITE\b)(?=.*\bBYE\b)(?!.*MESSAGE)/,
  );
});
