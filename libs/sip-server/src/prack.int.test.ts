import assert from 'node:assert/strict';
import { test } from 'node:test';
import type Srf from 'drachtio-srf';
import type { SipResponse } from './message/message.ts';
import { header } from './message/message.ts';
import { until } from './test-support/inbox.ts';
import { ANSWER, Caller, OFFER, answerTo } from './test-support/messages.ts';
import { connectApp, endpoint, startServer } from './test-support/server.ts';
import { UdpPeer } from './test-support/udp-peer.ts';

const reliable = { headers: { Require: '100rel' }, body: ANSWER };

/** The published types don't know the callbacks of `send`. */
type Reply = (
  status: number,
  options: object,
  sent?: (error: unknown) => void,
  prack?: (prack: Srf.SrfRequest) => void,
) => void;

const replyOf = (res: Srf.SrfResponse): Reply => res.send.bind(res) as unknown as Reply;

test('a reliable provisional response is repeated until its PRACK, and the 200 waits for that', async () => {
  await using server = await startServer();
  const pracks: string[] = [];
  await using _ = await connectApp(server, (srf) => {
    srf.invite((_req, res) => {
      const reply = replyOf(res);
      reply(183, reliable, undefined, (prack) => pracks.push(prack.get('RAck')));
      reply(200, { body: ANSWER });
    });
  });
  await using peer = await UdpPeer.open();
  const udp = endpoint(server, 'udp');
  const caller = new Caller('reliable', peer.port);
  peer.send(caller.request('INVITE', 1, { body: OFFER, extra: ['Supported: 100rel'] }), udp);
  const progress = await peer.response(183);
  assert.equal(header(progress, 'require'), '100rel');
  assert.deepEqual(await peer.response(183), progress);
  assert.ok(peer.inbox.all.every((message) => message.kind === 'response' && message.status < 200));
  caller.learn(progress);
  const rack = `${header(progress, 'rseq')} 1 INVITE`;
  peer.send(caller.request('PRACK', 2, { extra: ['RAck: 1 1 INVITE'] }), udp);
  await peer.response(481, 'PRACK');
  peer.send(caller.request('PRACK', 3, { extra: [`RAck: ${rack}`] }), udp);
  await peer.response(200, 'PRACK');
  await until('the 200 comes', () =>
    peer.inbox.all.some((message) => message.kind === 'response' && is200(message, 'INVITE')),
  );
  peer.send(caller.request('ACK', 1), udp);
  assert.deepEqual(pracks, [rack]);
});

const is200 = (message: SipResponse, method: string): boolean =>
  message.status === 200 && header(message, 'cseq')?.endsWith(method) === true;

test('a caller that insists on reliable responses gets them, also where the application does not think of it', async () => {
  await using server = await startServer();
  await using _ = await connectApp(server, (srf) => {
    srf.invite((_req, res) => {
      res.send(180);
      res.send(183, { body: ANSWER });
    });
  });
  await using peer = await UdpPeer.open();
  const udp = endpoint(server, 'udp');
  const caller = new Caller('insisting', peer.port);
  peer.send(caller.request('INVITE', 1, { body: OFFER, extra: ['Require: 100rel'] }), udp);
  let seq = 2;
  for (const status of [180, 183]) {
    const response = await peer.response(status);
    assert.equal(header(response, 'require'), '100rel');
    caller.learn(response);
    peer.send(caller.request('PRACK', seq, { extra: [`RAck: ${header(response, 'rseq')} 1 INVITE`] }), udp);
    await peer.response(200, 'PRACK');
    seq++;
  }
});

test('a caller that never sends PRACK gets 504', async () => {
  await using server = await startServer({ timing: { t1: 10, t2: 40, t4: 50 } });
  await using _ = await connectApp(server, (srf) => {
    srf.invite((_req, res) => res.send(183, reliable));
  });
  await using peer = await UdpPeer.open();
  const invite = new Caller('silent', peer.port).request('INVITE', 1, { extra: ['Supported: 100rel'] });
  peer.send(invite, endpoint(server, 'udp'));
  await peer.response(504);
  assert.equal(server.counters()['now.dialogs'], 0);
});

test('a caller that knows no PRACK can’t be answered reliably', async () => {
  await using server = await startServer();
  const refusals: unknown[] = [];
  await using _ = await connectApp(server, (srf) => {
    srf.invite((_req, res) => {
      replyOf(res)(183, reliable, (error) => {
        refusals.push(error);
        res.send(486);
      });
    });
  });
  await using peer = await UdpPeer.open();
  peer.send(new Caller('plain', peer.port).request('INVITE', 1), endpoint(server, 'udp'));
  await peer.response(486);
  assert.deepEqual(refusals, ['Remote endpoint does not support 100rel']);
});

test('a CANCEL ends what waits for a PRACK', async () => {
  await using server = await startServer();
  const refusals: unknown[] = [];
  await using _ = await connectApp(server, (srf) => {
    srf.invite((_req, res) => {
      replyOf(res)(183, reliable);
      replyOf(res)(200, { body: ANSWER }, (error) => refusals.push(error));
    });
  });
  await using peer = await UdpPeer.open();
  const udp = endpoint(server, 'udp');
  const caller = new Caller('cancelled', peer.port);
  const branch = 'z9hG4bKprackcancel';
  peer.send(caller.request('INVITE', 1, { branch, extra: ['Supported: 100rel'] }), udp);
  await peer.response(183);
  peer.send(caller.request('CANCEL', 1, { branch, contact: false }), udp);
  await peer.response(487, 'INVITE');
  await until('the application knows', () => refusals.length === 1);
  assert.equal(server.counters()['now.dialogs'], 0);
});

test('reliable provisional responses of a called side are acknowledged once each', async () => {
  await using server = await startServer();
  await using srf = await connectApp(server);
  await using peer = await UdpPeer.open();
  const udp = endpoint(server, 'udp');
  const heardOf: number[] = [];
  const call = srf.createUAC(
    `sip:you@127.0.0.1:${peer.port}`,
    { localSdp: OFFER, headers: { Supported: '100rel' } },
    { cbProvisional: (res: Srf.SrfResponse) => heardOf.push(res.status) },
  );
  const invite = await peer.request('INVITE');
  const contact = `Contact: <sip:you@127.0.0.1:${peer.port}>`;
  const send = (status: string, rseq: number): void =>
    peer.send(answerTo(invite, status, 'far', [contact, 'Require: 100rel', `RSeq: ${rseq}`]), udp);
  const invited = header(invite, 'cseq') ?? '';
  for (const [status, rseq] of [
    ['180 Ringing', 7],
    ['183 Session Progress', 8],
  ] as const) {
    send(status, rseq);
    const prack = await peer.request('PRACK');
    assert.equal(header(prack, 'rack'), `${rseq} ${invited}`);
    assert.match(header(prack, 'to') ?? '', /tag=far$/);
    send(status, rseq);
    peer.send(answerTo(prack, '200 OK', ''), udp);
  }
  peer.send(answerTo(invite, '200 OK', 'far', [contact]), udp);
  await call;
  await peer.request('ACK');
  assert.deepEqual(heardOf, [180, 183]);
});
